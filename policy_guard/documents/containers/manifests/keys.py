"""What holds a policy in a manifest, gives access without one, or says whose a policy is: by key and by kind.

Keys are spelled without case, underscores and hyphens. Sources: the API references of Crossplane (provider-upjet-aws),
of AWS Controllers for Kubernetes, kops (ClusterSpec) and Cluster API Provider AWS (AWSIAMConfiguration); eksctl,
"Config file schema"; the Pulumi registry, package aws; Ansible, collections amazon.aws and community.aws.
"""

from __future__ import annotations

from policy_guard.regex import regex

POLICY = frozenset(
    (
        *("policy", "policydocument", "policyjson", "policytext", "policyfile", "document", "assumerolepolicy"),
        *("assumerolepolicydocument", "trustpolicy", "trustpolicyfilepath", "inlinepolicy", "permissionpolicy"),
        *("resourcepolicy", "accesspolicy", "accesspolicies", "keypolicy", "attachpolicy", "repositorypolicy"),
        *("filesystempolicy", "registrypolicy", "bucketpolicy", "queuepolicy", "topicpolicy", "policyfilepath"),
        *("authpolicy", "domainpolicy", "resourcebasedpolicy", "endpointpolicy", "policytemplate", "policydata"),
    )
)
"""Under these stands a policy; what is none there is known by its text."""

GRANTING = frozenset(
    (
        *("attachpolicyarns", "policyarn", "policyarns", "permissionpolicyarns", "managedpolicyarns"),
        *("managedpolicies", "managedpolicy", "managedpolicyarn", "wellknownpolicies", "withaddonpolicies"),
        *("extrapolicyattachments", "externalpolicies", "roleadditionalpolicies", "policyref", "policyrefs"),
        *("policyarnref", "policyarnrefs", "policyarnselector", "policyarnselectors", "policyrefselector"),
        *("instancerolearn", "instanceprofilearn", "serviceaccountrolearn", "instanceprofile", "iaminstanceprofile"),
        *("iamidentitymappings", "accessentries", "accesspolicyassociations", "maproles", "mapusers", "mapaccounts"),
        *("allowassumerole", "ec2containerregistryreadonly", "allowcontainerregistry", "acl", "grants"),
        *("grantread", "grantwrite", "grantreadacp", "grantwriteacp", "grantfullcontrol", "accesscontrolpolicy"),
        *("functionurlconfig", "permissions", "publicaccess", "managedpolicyattachments", "customerpolicies"),
        *("customermanagedpolicyreferences", "managedpolicyreference", "rolemappings", "resourcesharearn"),
        *("podidentityassociations", "fargatepodexecutionrolearn", "useserviceaccountexternalpermissions"),
        *("usermappings", "clusteradmins", "bootstrapclustercreatoradminpermissions", "permissionsetarn"),
    )
)
"""These give access in a resource of AWS: managed policies by their documents, all else by its text."""

ANYWHERE = frozenset(("eks.amazonaws.com/rolearn", "maproles", "mapusers", "mapaccounts", "iam.amazonaws.com/role"))
"""Those that count in any manifest: the role of a service account, and who is let into a cluster."""

IAM_GRANTING = frozenset(("policies", "groups", "group", "users", "user", "roles", "role"))
"""Those that give access where they stand in a principal, a group or a profile of IAM."""

IAM_KIND = regex(r"(?i)(?:iam_?)?(?:role|user|group|instance_?profile)|(?:EC2)?NodeClass")
CLUSTER_GRANTING = frozenset(("rolearn", "rolename"))
"""Those that say in a cluster which role its parts have."""

CLUSTER_KIND = regex(
    r"ClusterConfig|AWSManaged\w+|AWSMachine\w*|AWSFargate\w+|EKSConfig\w*|ProviderConfig|ClusterProviderConfig"
)
ATTACHING_KIND = regex(r"(?i)\w*policy_?attachments?(?:_?exclusive)?")
"""Kinds that say with `policyArn` what is attached, and beside it to whom."""

GRANTING_KIND = regex(
    r"(?i)\w*(?:attachment|membership|permission|grant|association|access_?entry|function_?url|_?acl|account_?assignment"
    r"|delegated_?administrator|resource_?share|resource_?access|lambda_policy|allowed_?principal|roles?_?mapping)s?"
)
"""Kinds of which all that they say gives access."""

NETWORK_KIND = regex(
    r"(?i)(?:route_?table|volume|target_?group|network|web|subnet|vpc|dhcp|internet|vpn|eip|transit|e?lb|load_?balancer"
    r"|autoscaling|zone|certificate)\w*(?:attachment|association|acl)s?"
)
"""Kinds with such a name that give no access to anything."""

OTHER_POLICY_KIND = regex(
    r"(?i)\w*(?:lifecycle|scaling|backup|retention|cache|origin_?request|response_?headers|ssl)_?policy"
)
"""Kinds with policies that are none of IAM."""

ROLE_MAPS = ("/ack-role-account-map", "/ack-role-team-map")
"""The ends of names of mappings that say in which roles controllers of ACK act."""

ROLE_PARAMETER = regex(r"(?i).*role[-_]?arn")
"""Names of parameters and variables of the environment whose values are roles."""

ONE_LINE = regex(r"(?i)polic|role|group|user|acl|grant|principal|permission|trust|boundary|public")
"""What the arguments of a module of Ansible in one line have to speak of to give access."""

OWNER = regex(
    r"(?i)role|user|group|bucket|queue|topic|repositor|key|boundary|function|secret|domain|resource|principal|target"
    r"|endpoint|vault|system|registry|name|arn|file|account|selector|table|stream|service|namespace|^state$|^when$|^make_default$|set_?as_?default|^default_?version"
)
"""Beside a policy, what may say whose it is."""

OUTER_OWNER = regex(
    r"(?i)\w*boundary|role(?:name)?|user(?:name)?|group(?:name)?|iam_?name|iam_?type|when|state|management_?policies"
    r"|provider_?config_?ref|provider|(?:aws_)?profile|delegate_to|name"
)
"""Further out, what may say whose a policy is."""

REPEATED = regex(r"loop|vars|with_\w+|loop_control|module_defaults|patches|replacements")
"""What fills in a task of Ansible or a resource of a Composition."""

PATCHING = regex(r"patches\w*|replacements|patchSets")
PATCHING_KIND = regex(r"Composition|Kustomization|Component|Resources")
PATCHED = regex(r"(?i)polic|role|principal|arn|boundary")
"""What a patch has to speak of to give access: it is written into resources elsewhere."""

INLINE_NAME = regex(r"(?i)(?:policy_?)?name(?:_?prefix)?")
PRINCIPAL = regex(r"(?i)(?:role|user|group|iam)(?:_?(?:name|ref|selector))?|(?:role|user|group)name(?:ref|selector)?")
"""Beside a principal, the name of a policy only tells it from the principal's others."""

BOUNDARY = regex(r"(?i)\w*boundary")
EXTERNAL_NAME = "crossplane.io/external-name"
"""What a resource is called in AWS, if not as in the cluster."""

CALLING = ("local_action", "action")
"""Keys of Ansible under which a module is called by name."""

VARIABLES = ("variables", "config", "configuration")
"""Keys of Pulumi under which stands what fills in the resources beside them."""

AWS_GROUP_PARTS = (
    ".aws.",
    "aws.",
    "eks.amazonaws.com/",
    ".k8s.aws/",
    "eksctl.io/",
    "kops.k8s.io/",
    "kops/",
    ".cluster.x-k8s.io/",
)
"""Parts of the `apiVersion` of resources of AWS."""

AWS_MODULE = regex(
    r"(?:amazon\.aws|community\.aws|amazon\.cloud)\.\w+|(?:aws|iam|s3|sqs|sns|kms|lambda|ecs|efs|eks|ec2|elasticsearch|opensearch"
    r"|secretsmanager|codeartifact|glacier|backup)_\w+|lambda|s3|sqs_queue|sns"
)
"""Names of Ansible's modules for AWS."""

SHORT_MODULES = {"cloudformation": "stack_name", "iam": "iam_type", "cloudformation_stack_set": "name"}
"""Names without a collection that may be any key, with the argument that each needs."""

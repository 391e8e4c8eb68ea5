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
        *(
            "instancerolearn",
            "instanceprofilearn",
            "serviceaccountrolearn",
            "instanceprofile",
            "instanceprofilename",
            "iaminstanceprofile",
        ),
        *("iamidentitymappings", "accessentries", "accesspolicyassociations", "maproles", "mapusers", "mapaccounts"),
        *(
            "deletepublicaccess",
            "allowassumerole",
            "ec2containerregistryreadonly",
            "allowcontainerregistry",
            "acl",
            "grants",
        ),
        *("grantread", "grantwrite", "grantreadacp", "grantwriteacp", "grantfullcontrol", "accesscontrolpolicy"),
        *(
            "functionurlconfig",
            "permission",
            "objectownership",
            "permissions",
            "publicaccess",
            "managedpolicyattachments",
            "customerpolicies",
        ),
        *("customermanagedpolicyreferences", "managedpolicyreference", "rolemappings", "resourcesharearn"),
        *("podidentityassociations", "fargatepodexecutionrolearn"),
        *("usermappings", "clusteradmins", "bootstrapclustercreatoradminpermissions", "permissionsetarn"),
        *("attachrolearn", "servicerolearn", "identitymappings", "podexecutionrolearn", "publicaccesscidrs"),
    )
)
"""These give access in a resource of AWS: managed policies by their documents, all else by its text."""

ANYWHERE = regex(
    r"(?:eks|iam)\.amazonaws\.com/(?:\w*role\w*|permitted)|services\.k8s\.aws/(?:owneraccountid|teamid)"
    r"|map(?:roles|users|accounts)|(?:\w+[.])*\w*rolearns?"
)
"""Those that count in any manifest: the role or the account of a service account or namespace, who is let into a
cluster, and every role by its ARN."""

ATTACHED = regex(r"\w*policyarns?|managedpolic(?:y|ies)")
"""Under these stand managed policies in values for templates."""

ROLE_NAME = regex(
    r"\w*(?:serviceaccount|iam|irsa|aws|(?<!cluster)node|instance|task|execution|assumed?|crossaccount)role(?:name)?s?"
)
"""Under these the name of a role of IAM stands in any manifest."""

ANNOTATIONS = regex(r"(?:eks|iam)\.amazonaws\.com/(?:role|permitted|allowed)")
"""Those annotations that values of Helm have without being a manifest."""

IDENTITY = regex(
    r"(?i)arn:[^\s:]*:(?:iam|sts|eks):[^\s:]*:[^:]{0,90}:(?:role|policy|user|group|root|instance-profile|assumed-role"
    r"|federated-user|(?:oidc|saml)-provider|cluster-access-policy)\b"
)
"""The ARN of a principal or a policy, which counts under whatever key, too, but for those below."""

TELLING_NOTHING = regex(r"(?i)description|comment|summary")
"""Under these keys a text gives nothing; nor do labels, tags, boundaries and what a cluster writes back."""

CODE = regex(r"""(?<![A-Za-z0-9])(?:AWS::[A-Z]|aws_[a-z]+_\w+["'{ ]|role_arn\s{0,9}=)""")
"""What programs in a text speak of where they make something in AWS: templates, Terraform, profiles."""

IAM_GRANTING = frozenset(("policies", "groups", "group", "users", "user", "roles", "role"))
"""Those that give access where they stand in a principal, a group or a profile of IAM."""

IAM_KIND = regex(r"(?i)(?:iam_?)?(?:role|user|group|instance_?profile)|(?:EC2)?NodeClass")
MACHINE_KIND = "InstanceGroup"
"""Of kops: its `profile` is the instance profile."""

ACTING = regex(r"\w*role(?:names?|ids?|refs?|selector|s)?")
"""In a resource of AWS that is none of IAM, the role that it acts by, unless a policy beside it is that role's."""

CLUSTER_GRANTING = frozenset(("rolearn", "rolename"))
"""Those that say in a cluster which role its parts have."""

CLUSTER_KIND = regex(
    r"ClusterConfig|AWSManaged\w+|AWSMachine\w*|AWSFargate\w+|EKSConfig\w*|ProviderConfig|ClusterProviderConfig"
)
ATTACHING_KIND = regex(r"(?i)\w*policy_?attachments?(?:_?exclusive)?")
"""Kinds that say with `policyArn` what is attached, and beside it to whom."""

GRANTING_KIND = regex(
    r"(?i)\w*(?:attachment|membership|permission|grant|association|access_?entry|function_?url(?:_?config)?|_?acl"
    r"|account_?assignment|delegated_?administrator|resource_?share|resource_?access|lambda_policy|allowed_?principal"
    r"|roles?_?mapping|identity_?mapping|role_?selector|cluster_?(?:role|static|controller)_?identity|access_?key|login_?profile"
    r"|service_?specific_?credential|data_?lake_?settings|endpoint_?authorization"
    r"|(?:open_?id_?connect|oidc|saml)_?provider)s?"
)
"""Kinds of which all that they say gives access."""

OF_KUBERNETES = regex(
    r"Deployment|DaemonSet|StatefulSet|ReplicaSet|Job|CronJob|Pod\w*|Service|ServiceAccount|\w*Monitor|Ingress\w*|List"
    r"|\w*PodAutoscaler|\w*NetworkPolicy|ConfigMap|Secret|Namespace|Role|RoleBinding|ClusterRole|ClusterRoleBinding"
    r"|PersistentVolume\w*|StorageClass|\w*WebhookConfiguration|APIService|PriorityClass|PrometheusRule|Certificate"
    r"|Issuer|ClusterIssuer|Endpoints?\w*|LimitRange|ResourceQuota|CustomResourceDefinition|Prometheus|Alertmanager"
    r"|ScaledObject|Gateway|\w+Route|VirtualService|ExternalSecret|\w*SecretStore|Application|HelmRelease"
)
"""Kinds that charts write beside an `apiVersion` that is filled in, and that are none of AWS."""

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
    r"|endpoint|vault|system|registry|name|arn|file|account|selector|table|stream|service|namespace|^state$|^when$"
    r"|^make_default$|set_?as_?default|^default_?version|^management_?policies$"
)
"""Beside a policy, what may say whose it is."""

NO_OWNER = regex(
    r"(?i)ami|image|use_?service_?account|subnet|security_?group|capacity_?reservation|user_?data|key_?(?:pair|name)|ssh|block_?device|node_?sel"
    r"|availability|label|checksum|resource(?:s|_?requests|_?limits)$|service_?monitor"
)
"""How keys begin that `OWNER` would match, and that say nothing of whose a policy is."""

_LIVE = r"include_?when|suspend(?:ed)?|paused?|management_?policies|kube_?config"
_ACCOUNT = r"provider_?config_?ref|provider|(?:aws_)?profile|account|destination"
OUTER_OWNER = regex(
    r"(?i)\w*boundary(?:_?arn)?|role(?:name)?|user(?:name)?|group(?:name)?|iam_?name|iam_?type|name|target_?namespace"
    rf"|when|state|delegate_to|{_LIVE}|{_ACCOUNT}"
)
"""Further out, what may say whose a policy is."""

OUTERMOST_OWNER = regex(rf"(?i)target_?namespace|{_LIVE}|{_ACCOUNT}")
"""Around the whole resource, what may say whether it is live, and in which account or cluster."""

REPEATED = regex(r"loop|vars|with_\w+|loop_control|module_defaults|patches|replacements")
"""What fills in a task of Ansible or a resource of a Composition."""

PATCHING = regex(r"patches\w*|replacements|patchSets")
KUSTOMIZING = ("patches", "patchesStrategicMerge", "patchesJson6902", "replacements")
"""Keys of a file of Kustomize, which needs no `apiVersion` and no `kind`."""

PATCHING_KIND = regex(r"Composition|Kustomization|Component|Resources")
PATCHED = regex(
    r"(?i)polic|(?<!cluster)role(?!ref\b)|principal|arn\b|boundary|permission|\bacls?\b|grant|publicA|members|trust|paused"
    r"|providerConfig|/manifest\b|/forProvider(?![\w/])"
)
"""What a patch has to speak of to give access: it is written into resources elsewhere."""

INLINE_NAME = regex(r"(?i)(?:policy_?)?name(?:_?prefix)?")
PRINCIPAL = regex(r"(?i)(?:role|user|group|iam)(?:_?(?:name|ref|selector))?|(?:role|user|group)name(?:ref|selector)?")
"""Beside a principal, the name of a policy only tells it from the principal's others."""

BLOCKING = frozenset(("blockpublicacls", "blockpublicpolicy", "ignorepublicacls", "restrictpublicbuckets"))
"""These keep public access out where they are true."""

ON_WITHOUT = frozenset(("publicaccess", "endpointpublicaccess", "public", "bootstrapclustercreatoradminpermissions"))
"""These let in where they are not there at all."""

OPEN_WITHOUT = frozenset(("publicaccesscidrs", "publiccidrs"))
"""Without these, everybody is let in."""

CAP_KIND = regex(r"(?i)\w*public_?access_?block|permissions_?boundary_?attachment")
"""Kinds that keep access out; `SERVICE_CONTROL` says which policy attachments do so, too."""

SERVICE_CONTROL = "policyid"
CAPPED = frozenset(("bucket", "bucketref", "permissionsetarn", "permissionsetarnref"))
"""Under these stands what is capped."""

BOUNDARY = regex(r"(?i)\w*boundary(?:_?arn)?")
LIVE_NOTE = regex(
    r"(?i)crossplane\.io/(?:external-name|paused)|services\.k8s\.aws/(?!deletion-policy)[\w-]+|fluxcd\.io/ignore"
    r"|config\.kubernetes\.io/(?:local-config|function)|kustomize\.toolkit\.fluxcd\.io/(?:reconcile|ssa)"
    r"|helm\.sh/hook|argocd\.argoproj\.io/(?:hook|sync-options|skip-reconcile)|(?:[\w.-]+/)?(?:paused?|suspended|dry-?run)"
)
"""Annotations that say what a resource is called in AWS, whether anything is made of it, and in which account."""

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
    r"(?:amazon\.aws|community\.aws|amazon\.cloud)\.\w+|(?:aws|iam|s3|sqs|sns|kms|lambda|ecs|ecr|efs|eks|ec2|elasticsearch"
    r"|opensearch|secretsmanager|codeartifact|glacier|backup|glue|sts|autoscaling|cloudtrail|codebuild|codepipeline"
    r"|dynamodb|kinesis|rds|redshift|ssm|stepfunctions)_\w+|lambda|s3|sns"
)
"""Names of Ansible's modules for AWS."""

SHORT_MODULES = {"cloudformation": "stack_name", "iam": "iam_type", "cloudformation_stack_set": "name"}
"""Names without a collection that may be any key, with the argument that each needs."""

"""Whether a CI system runs this, by the environment variables that each one sets."""

from __future__ import annotations

from collections.abc import Mapping

_OFF = ("", "0", "false", "no", "off")
_VARIABLES = frozenset(
    (
        *("CI", "CONTINUOUS_INTEGRATION", "BUILD_ID", "BUILD_NUMBER", "CI_NAME", "CI_BUILD_ID"),
        # GitHub, Gitea, Forgejo, GitLab: they set CI, unless a job takes it away.
        *("GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS", "GITLAB_CI"),
        # Azure Pipelines: https://learn.microsoft.com/azure/devops/pipelines/build/variables
        *("TF_BUILD", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "BUILD_BUILDID"),
        # TeamCity: https://www.jetbrains.com/help/teamcity/predefined-build-parameters.html
        *("TEAMCITY_VERSION", "TEAMCITY_BUILD_PROPERTIES_FILE"),
        # AWS CodeBuild: https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
        *("CODEBUILD_BUILD_ID", "CODEBUILD_BUILD_ARN", "CODEBUILD_BUILD_NUMBER", "CODEBUILD_SRC_DIR"),
        # Jenkins and Hudson: https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables
        *("JENKINS_URL", "JENKINS_HOME", "JENKINS_NODE_COOKIE", "HUDSON_URL", "HUDSON_COOKIE"),
        # Bamboo: https://confluence.atlassian.com/bamboo/bamboo-variables-289277087.html
        *("BAMBOO_BUILDKEY", "BAMBOO_PLANKEY", "BAMBOO_BUILDNUMBER", "BAMBOO_AGENTID", "BAMBOO_BUILDRESULTKEY"),
        # Google Cloud Build, which sets this one alone.
        "BUILDER_OUTPUT",
        # GoCD: https://docs.gocd.org/current/faq/dev_use_current_revision_in_build.html
        *("GO_PIPELINE_NAME", "GO_PIPELINE_LABEL", "GO_SERVER_URL", "GO_JOB_NAME"),
        # Drone, Harness and Woodpecker: https://docs.drone.io/pipeline/environment/reference
        *("DRONE", "HARNESS_BUILD_ID", "HARNESS_PIPELINE_ID", "HARNESS_ACCOUNT_ID", "CI_PIPELINE_ID"),
        *("BITBUCKET_BUILD_NUMBER", "BITBUCKET_COMMIT", "BITBUCKET_PIPELINE_UUID"),
        *("BUDDY", "BUDDY_EXECUTION_ID", "BUDDY_WORKSPACE_ID", "BUDDY_PIPELINE_ID"),
        *("APPVEYOR", "BITRISE_IO", "BUILDKITE", "CIRCLECI", "CIRRUS_CI", "SEMAPHORE", "TRAVIS", "CODESHIP"),
        *(
            "AC_APPCIRCLE",
            "AGOLA_GIT_REF",
            "APPCENTER_BUILD_ID",
            "ARGO_TEMPLATE",
            "CATALYST_WORKFLOW_NAME",
            "CM_BUILD_ID",
        ),
        *("CF_BUILD_ID", "DSARI", "EARTHLY_CI", "EAS_BUILD", "GERRIT_PROJECT", "HEROKU_TEST_RUN_ID", "LAYERCI"),
        *("MAGNUM", "NETLIFY", "NEVERCODE", "NOW_BUILDER", "OCI_BUILD_RUN_ID", "PROW_JOB_ID", "RELEASE_BUILD_ID"),
        *(
            "RENDER",
            "SAILCI",
            "SCREWDRIVER",
            "SHIPPABLE",
            "STRIDER",
            "TASKCLUSTER_ROOT_URL",
            "TDDIUM",
            "VELA",
            "VERCEL",
        ),
        *("WERCKER", "XCS", "CI_XCODE_PROJECT", "ZUUL_UUID", "SYSTEM_JOBID", "RELEASE_RELEASEID"),
        # What plans and applies infrastructure.
        *("ATLANTIS_TERRAFORM_VERSION", "TFC_RUN_ID", "TFE_RUN_ID", "SPACELIFT", "TF_VAR_SPACELIFT_RUN_ID"),
        *("ENV0_DEPLOYMENT_ID", "ENV0_ENVIRONMENT_ID", "SCALR_RUN_ID", "DIGGER_RUN_ID"),
    )
)


def in_ci(environ: Mapping[str, str]) -> bool:
    """Whether this runs unattended, on a commit as it was pushed.

    On a system that sets none of these variables, Tekton and Concourse for example, `CI=true` says so.
    """
    return any(value.lower() not in _OFF for name, value in environ.items() if name.upper() in _VARIABLES)

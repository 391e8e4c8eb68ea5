"""Whether a CI system runs this, and for which change, by the environment variables that each one sets."""

from __future__ import annotations

from collections.abc import Mapping

from policy_guard.documents.errors import SetupError

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
    """Tell whether this runs unattended, on a commit as it was pushed.

    On a system that sets none of these variables, Tekton and Concourse for example, `CI=true` says so.
    """
    return any(value.lower() not in _OFF for name, value in environ.items() if name.upper() in _VARIABLES)


_TARGETS = {
    # https://docs.gitlab.com/ci/variables/predefined_variables/; CI_MERGE_REQUEST_DIFF_BASE_SHA stays the old one
    # when the target of a merge request changes (https://gitlab.com/gitlab-org/gitlab/-/issues/442031).
    "GITLAB_CI": "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    # https://buildkite.com/docs/pipelines/configure/environment-variables
    "BUILDKITE": "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    # https://learn.microsoft.com/azure/devops/pipelines/build/variables, with or without refs/heads/ before it
    "TF_BUILD": "SYSTEM_PULLREQUEST_TARGETBRANCH",
    # https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
    "BITBUCKET_BUILD_NUMBER": "BITBUCKET_PR_DESTINATION_BRANCH",
    # https://www.jenkins.io/doc/book/pipeline/multibranch/
    "JENKINS_URL": "CHANGE_TARGET",
}
"""The variable that names the target branch of a pull request, by a variable that tells the system.

CircleCI has none: there the name is a value of its configuration language alone.
"""


def target_branch(environ: Mapping[str, str]) -> str:
    """The branch that the pull request under test is to be merged into; empty if no CI system names one.

    Raises `SetupError` if the pipeline belongs to a fork, where that branch is the author's own.
    """
    names = (environ.get(target, "") for system, target in _TARGETS.items() if environ.get(system))
    name = next(filter(None, names), "").removeprefix("refs/heads/")
    project, target_project = environ.get("CI_PROJECT_ID"), environ.get("CI_MERGE_REQUEST_PROJECT_ID")
    if name and environ.get("GITLAB_CI") and project != target_project:
        raise SetupError(
            "this pipeline runs in a fork, whose branches are the author's own. "
            "Run the pipeline of the merge request in the parent project."
        )
    return name


_SCHEDULED = {
    # GitHub, "Events that trigger workflows"
    "GITHUB_EVENT_NAME": ("schedule", "workflow_dispatch"),
    # https://docs.gitlab.com/ci/jobs/job_rules/#ci_pipeline_source-predefined-variable
    "CI_PIPELINE_SOURCE": ("schedule",),
    # https://buildkite.com/docs/pipelines/configure/environment-variables
    "BUILDKITE_SOURCE": ("schedule",),
    # https://learn.microsoft.com/azure/devops/pipelines/build/variables
    "BUILD_REASON": ("Schedule",),
    # https://docs.travis-ci.com/user/environment-variables/
    "TRAVIS_EVENT_TYPE": ("cron",),
    # https://docs.drone.io/pipeline/environment/reference/drone-build-event/
    "DRONE_BUILD_EVENT": ("cron",),
    # https://docs.semaphoreci.com/reference/env-vars
    "SEMAPHORE_WORKFLOW_TRIGGERED_BY_SCHEDULE": ("true",),
}
"""The variables that tell why a pipeline runs, and what they say where that is no change."""


def is_without_change(environ: Mapping[str, str]) -> bool:
    """Tell whether a CI system says that this run is about no change, such as one on a schedule."""
    return in_ci(environ) and any(environ.get(name, "") in events for name, events in _SCHEDULED.items())


def tip_before(environ: Mapping[str, str]) -> str:
    """The commit that GitLab's default branch pointed to before this push; empty for everything else."""
    pushed = environ.get("CI_COMMIT_BRANCH", "")
    if not environ.get("GITLAB_CI") or not pushed or pushed != environ.get("CI_DEFAULT_BRANCH"):
        return ""
    old_tip = environ.get("CI_COMMIT_BEFORE_SHA", "")
    return old_tip if old_tip.strip("0") else ""

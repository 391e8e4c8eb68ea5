"""Answers the policy checks of IAM Access Analyzer's API over HTTP, offline: to AWS's own clients, in AWS's words.

The contract is botocore's model of the service `accessanalyzer`, 2019-11-01.
"""

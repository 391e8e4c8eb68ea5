"""The Serverless Framework: its files as the templates of CloudFormation that they stand for."""

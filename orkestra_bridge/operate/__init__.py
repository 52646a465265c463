"""What is done on AWS for translated DAGs, with boto3. Input: what the user names. Output: changes, as values."""

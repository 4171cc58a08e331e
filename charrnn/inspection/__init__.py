"""What can be found out about a model: findings as plain values, no drawing."""

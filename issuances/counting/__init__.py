"""What is counted: the hourly roll-up of decisions, and failed authentications by the minute."""

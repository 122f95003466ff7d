"""What Nova Act is: its operations as values, the models they take and return, and its errors. No logic."""

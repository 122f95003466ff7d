"""What Nova Act offers: its operations as values, the models that they take and return, and its errors. No logic."""

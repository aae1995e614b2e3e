"""What the rounds say of what is to come: when to stop, how many labels it takes."""

"""What is checked of an entry before it is published."""

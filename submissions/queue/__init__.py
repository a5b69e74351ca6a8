"""The queue of a scoring machine: takes jobs that wait and scores each in a process of its own."""

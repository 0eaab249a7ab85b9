"""What can go wrong in an exercise."""


class ExerciseError(Exception):
    """A step failed, or the Dockerfile says something that this exercise cannot follow."""

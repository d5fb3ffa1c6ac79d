"""How well marks survive, how often they are found where they are not, and whether they show: the evaluation."""

"""ScheduleExplorer: how sparse a network is to be in each round."""

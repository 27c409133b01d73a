"""TradeoffExplorer: which model came from which, what each costs, and whose answers differ."""

"""One module per training stage; each is a command that can be stopped and resumed."""

"""One module per component; each has `cases()`, name -> function(folder) that writes the fixture."""

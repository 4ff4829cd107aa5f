"""Who may do what in the browser, and who did."""

"""How the evidence becomes a report: tables, a page to read, pictures of single checks."""

"""Order at the desk: views, filters, labels, search."""

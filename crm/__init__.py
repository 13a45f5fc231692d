"""What the shop knows of its customers: profiles, orders, parcels, invoices and tickets, behind one port."""

"""What is remembered: tables, transactions, the inbox writer, leases, kept files, migrations."""

//! Accounts, from signing up to signing out. Tests are named after the ids of SECURITY.md where there is one.

mod walk;

//! The document around every page, and the route table: one line per page.

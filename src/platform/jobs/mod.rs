//! The job queue on Postgres: enqueue in the transaction that causes the work, claim with SKIP LOCKED, lease, retry, keep the dead.

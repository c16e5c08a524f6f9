//! Second factors and proofs: one file per table.

mod proofs;

pub use proofs::is_proven_since;

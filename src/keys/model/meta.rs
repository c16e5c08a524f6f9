//! What services are told of a key beside what Tollgate knows of it.

use serde_json::{Map, Value};

/// Words of who keeps the key, as a small JSON object; empty: nothing.
pub type Meta = Map<String, Value>;

//! The settings of what operators may change. A part of the table in `settings`.

use super::setting::{Kind, Setting};
use crate::values::Area;

pub(super) const ADMIN: &[Setting] = &[Setting {
    name: "admin.locked",
    env: "TOLLGATE_LOCKED",
    kind: Kind::List,
    allowed: "some of apis, fields, plans, rules and sessions",
    doc: "What operators can't change on pages and over REST, only on the command line of the server. None by default.",
    set: |c, v| {
        let mut locked: Vec<Area> = v.split(',').map(str::trim).filter(|v| !v.is_empty()).map(Area::parse).collect::<Option<_>>()?;
        locked.sort_unstable();
        locked.dedup();
        c.admin.locked = locked;
        Some(())
    },
    get: |c| c.admin.locked.iter().map(|area| area.as_str()).collect::<Vec<_>>().join(","),
}];

//! Which key a text means that somebody typed: part of its name, how its secret begins, or its id.

use super::store::choices::{self, Sought};
use crate::{
    error::AppError,
    platform::Ctx,
    values::{KeyId, WorkspaceId},
};

/// So many characters of a secret are shown behind its environment, and known.
const SHOWN: usize = 4;

/// Shorter ones begin every key of an API.
const SHORTEST_START: usize = 8;

/// The key that is looked for, in a workspace or (for operators) in all: the chosen one stays if it has the text, one that alone has it is
/// taken, and of several none: they are the ones to choose from.
pub async fn find(ctx: &Ctx, workspace: Option<WorkspaceId>, text: &str, chosen: Option<&str>) -> Result<Option<KeyId>, AppError> {
    if text.len() > 400 || text.contains('\0') {
        return Err(AppError::invalid("named", "No key has such a name: take at most 80 letters."));
    }
    let chosen = chosen.and_then(|key| key.parse::<KeyId>().ok());
    let rows = match workspace {
        Some(workspace) => choices::list_named(&ctx.db, workspace, sought(text), chosen).await?,
        None => choices::list_named_of_all(&ctx.db, sought(text), chosen).await?,
    };
    let found = match rows.as_slice() {
        [only] => Some(only),
        [first, _] if first.is_chosen => Some(first),
        [first, second] if first.is_exact && !second.is_exact => Some(first),
        _ => None,
    };
    Ok(found.map(|row| KeyId::new(row.id)))
}

/// What a text may be, beside part of a name.
pub fn sought(text: &str) -> Sought<'_> {
    Sought { text, id: text.parse().ok(), start: start_of(text) }
}

/// What a secret may begin with: no words. Of one that is known further than it is shown, as far as it is shown; as lists show it, an
/// ellipsis behind it.
fn start_of(text: &str) -> Option<&str> {
    let text = text.trim_end_matches('…');
    let shown = ["_live_", "_test_"].into_iter().find_map(|middle| text.find(middle).map(|at| at + middle.len() + SHOWN));
    let is_start = text.len() >= SHORTEST_START && text.bytes().all(|b| b.is_ascii_graphic());
    is_start.then(|| shown.and_then(|shown| text.get(..shown)).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_no_word_and_ends_where_lists_end_it() {
        for (typed, start) in [
            ("demo_live_Ab3d", Some("demo_live_Ab3d")),
            ("demo_live_Ab3d…", Some("demo_live_Ab3d")),
            ("demo_live_Ab3dEfGh", Some("demo_live_Ab3d")),
            ("demo_live_A", Some("demo_live_A")),
            ("sk_of_old", Some("sk_of_old")),
            ("demo", None),
            ("my own service", None),
            ("Überseekasse", None),
        ] {
            assert_eq!(start_of(typed), start, "{typed}");
        }
        assert!(sought("key_").id.is_none());
    }
}

//! The operations of keys over a private store, and the gate.
//!
//! Who may touch which key is decided by `reach`; what names, permissions and limits may be by `rules`; how a change goes (lock,
//! change, history, event, commit, nodes) by `change`.

mod about;
mod apis;
mod batch;
mod bundles;
mod change;
mod clean_address;
pub mod coming_back;
mod creating;
mod crediting;
mod cursor;
mod detail;
mod door;
mod editing;
mod expiring;
pub mod forms;
mod forward_auth;
pub mod gate;
mod grants;
pub mod http;
mod importing;
pub mod jobs;
mod key_routes;
pub mod leaks;
mod limit_form;
mod limited;
mod limits;
mod listing;
mod many;
pub mod meter;
pub mod nodes;
mod origins;
pub mod pacing;
mod proof;
pub mod ratelimit;
mod reach;
pub mod release_http;
mod resealing;
pub mod rest;
pub mod reveal;
mod rotating;
mod routes;
pub mod rules;
mod salted;
pub mod secret;
mod secret_use;
pub mod signing;
mod states;
mod store;
mod trying;
mod using;
pub mod verify_http;
mod verify_json;
mod wanted_limits;
mod why;
mod words;
mod workspace_state;

pub use about::typed as read_meta;
pub use apis::{ChangedApi, api_by_slug, create_api, edit_api, list_apis};
pub use batch::{
    Batch, BatchKey, MadeKey, batch_page, check_batch, create_batch, file as file_of_secrets, forget_batches, keep_batch, read_lines, run_batch, written_limits,
};
pub use bundles::{ChangedBundle, count_bundle_holders, deletable_bundle, delete_bundle, list_bundles, plan_bundle, put_bundle};
pub use change::Changed;
pub use clean_address::clean_address;
pub use creating::{Created, Terms, create_key, create_key_on};
pub use crediting::{Credited, NewCredits, add_credits};
pub use detail::{example_call, find_key, key_detail, key_history, key_leaks, key_secrets, key_uses, state_reason};
pub use door::Door;
pub use editing::{edit_key, set_limit};
pub use expiring::note_expiries;
pub use grants::{list_needing_grant, read_grants};
pub use importing::{ImportWish, forget_lists, import_and_wait, import_objects, import_page, keep_list, run_list};
pub use listing::{check_query, count_found, count_keys, count_keys_by_api, every_key, list_keys, list_rows, list_standings, page_of_keys, show_keys};
pub use many::{change_many, plan_many, preview_many};
pub use reach::actor;
pub use resealing::{ResealSecrets, SIGNING_SECRETS, held_by_master_keys, reseal_secrets};
pub use rotating::{MAX_GRACE, Rotated, check_grace, drop_secret, end_replaced, extend_secret, rotate_key};
pub use routes::{ChangedRoutes, Removal, Replaced, list_routes, plan_removal, plan_route, put_route, remove_route, replace_routes};
pub use rules::lifetime;
pub use secret_use::{SecretReport, secret_calls};
pub use states::{disable_key, enable_key, revoke_key};
pub use store::{
    calls::SecretUserRow,
    limits::{StoredLimit, stored_limits},
    secrets::HeldSecret,
};
pub use trying::{try_call, try_typed};
pub use using::narrow_key;
pub use wanted_limits::WantedLimits;
pub use workspace_state::{workspace_holds, workspace_state};

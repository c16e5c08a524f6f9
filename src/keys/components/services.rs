//! What few keys need, as the form of a new one asks for it: that it is for tests, its routes, and what services are told.

use super::ROUTES;
use crate::{
    keys::model::Environment,
    ui::{Choice, MoreFields, RadioGroup, TextArea, TextField},
};
use leptos::prelude::*;

/// The help beside the field `external_id`.
pub const EXTERNAL_ID: &str =
    "Your own id for the user of this key, such as customer-42. Services get it as external_id and X-External-Id. You can search by it.";

/// The help beside the field `meta`.
pub const METADATA: &str =
    "A JSON object that services get as meta when the key passes, such as {\"team\": \"checkout\"}. At most 1 KiB. Don't put secrets here.";

/// Fields `environment`, `routes`, `external_id` and `meta` of a new key.
#[component]
pub fn RarerChoices() -> impl IntoView {
    let live = Environment::Live.as_str();
    let begins = [("environment", live), ("routes", ""), ("external_id", ""), ("meta", "")].map(|(name, begin)| (name.to_owned(), begin)).to_vec();
    let uses = vec![
        Choice::new(live, "Live").with_help("For real calls."),
        Choice::new(Environment::Test.as_str(), "Test").with_help("For tests. The key contains _test_."),
    ];
    view! {
        <MoreFields words="More: test key, routes, external id, metadata" begins>
            <RadioGroup label="For" name="environment" choices=uses value=live/>
            <TextArea label="Routes it may call" name="routes" help=ROUTES maxlength=6000 mono=true/>
            <TextField label="External id" name="external_id" autocomplete="off" maxlength=200 help=EXTERNAL_ID/>
            <TextArea label="Metadata" name="meta" help=METADATA maxlength=4000 rows=4 mono=true/>
        </MoreFields>
    }
    .into_any()
}

//! The part of `/docs` about permissions of keys: single ones, presets, bundles.

use crate::ui::CodeBlock;
use leptos::prelude::*;

const BUNDLE: &str = r#"curl -X PUT http://127.0.0.1:3000/api/v1/apis/demo/bundles/order-desk \
  -H "Authorization: Bearer $OPERATOR_KEY" \
  -H "Content-Type: application/json" \
  -d '{"description": "Takes orders", "permissions": ["orders:write"], "includes": ["readers"]}'"#;

pub fn bundles() -> AnyView {
    view! {
        <h2 id="bundles">"Permissions and bundles"</h2>
        <p>"A key gets permissions of its API one by one or by a preset (Basic, Read-only, Admin), which is looked up once, and bundles beside them. A bundle is a set of the API's permissions that an operator keeps under a name, at "<code>"/admin/apis"</code>" or over REST. It may include other bundles of the API, never itself; what it gives is all that it names and all that those give. An API has at most 100."</p>
        <CodeBlock id="bundle" title="A bundle" code=BUNDLE/>
        <p>"A key holds bundles by its form, by "<code>"\"bundles\": [\"order-desk\"]"</code>" in "<code>"POST"</code>" and "<code>"PATCH /api/v1/keys"</code>", or by "<code>"tollgate key create --bundle"</code>". It may what they give at any time: when an operator changes a bundle, every key that holds it has more or less on every server before the change is answered, as with a revocation ("<code>"spread"</code>" says where). "<code>"permissions"</code>" are those given by themselves, "<code>"effective_permissions"</code>" all. The page of a key says for each where it comes from, and “Would this call pass?” names the bundle that lets a call pass."</p>
        <p>"A permission that a bundle names can't be taken from its API, a bundle that another one includes can't be deleted, nor one that a key holds which is not revoked. Of Tollgate's own API nobody describes a bundle that gives more than they may, nor gives one to a key; a key for it never may more than its owner, whatever its bundles give later."</p>
    }
    .into_any()
}

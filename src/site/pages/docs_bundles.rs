//! The part of `/docs` about permissions of keys: single ones, presets, bundles, and what needs a grant.

use crate::ui::{CodeBlock, SiteOrigin};
use leptos::prelude::*;

const BUNDLE: &str = r#"curl -X PUT http://127.0.0.1:3000/api/v1/apis/demo/bundles/order-desk \
  -H "Authorization: Bearer $OPERATOR_KEY" \
  -H "Content-Type: application/json" \
  -d '{"description": "Takes orders", "permissions": ["orders:write"], "includes": ["readers"]}'"#;

const GRANT: &str = r#"tollgate api set-grants demo --needed reports:export
tollgate plan set-grants pro --grant demo/reports:export"#;

pub fn bundles() -> AnyView {
    view! {
        <h2 id="bundles">"Permissions and bundles"</h2>
        <p>"A key gets permissions of its API one by one or by a preset (Basic, Read-only, Admin), which is looked up once, and bundles beside them. A bundle is a set of the API's permissions that an operator keeps under a name, at "<code>"/admin/apis"</code>" or over REST. It may include other bundles of the API, never itself; what it gives is all that it names and all that those give. An API has at most 100."</p>
        <CodeBlock id="bundle" title="A bundle" code=SiteOrigin::in_example(BUNDLE)/>
        <p>"By the command line: "<code>"tollgate bundle create demo order-desk --permission orders:read"</code>"."</p>
        <p>"A key holds bundles by its form, by "<code>"\"bundles\": [\"order-desk\"]"</code>" in "<code>"POST /api/v1/keys"</code>" and "<code>"PATCH /api/v1/keys/{id}"</code>", or by "<code>"tollgate key create --bundle"</code>". It may what they give at any time: when an operator changes a bundle, every key that holds it has more or less on every server before the change is answered, as with a revocation ("<code>"spread"</code>" says where). "<code>"permissions"</code>" are those given by themselves, "<code>"effective_permissions"</code>" all. The page of a key says for each where it comes from, and “Would this call pass?” names the bundle that lets a call pass."</p>
        <p>"A permission that a bundle names can't be taken from its API, a bundle that another one includes can't be deleted, nor one that a key holds which is not revoked. Of Tollgate's own API nobody describes a bundle that gives more than they may, nor gives one to a key; a key for it never may more than its owner, whatever its bundles give later."</p>
    }
    .into_any()
}

pub fn grants() -> AnyView {
    view! {
        <h2 id="grants">"Permissions that need a grant"</h2>
        <p>"Whoever makes keys may give them every permission of an API, unless its operator says of some that they need a grant: among the settings of the API at "<code>"/admin/apis"</code>", as "<code>"needs_grant"</code>" over REST, or on the command line. Who has the plan, is in the group, or whose workspace it is that grants such a permission may give it to keys; grants of all of them add up, also those of a plan that a key has itself."</p>
        <CodeBlock id="grant" title="Only for who has Pro" code=GRANT/>
        <p>"A key that is made, changed, imported or comes from a list with a permission that its workspace is not granted is refused with an error on "<code>"permissions"</code>" (or on "<code>"bundles"</code>", where a bundle gives it) which names the permission and the plans that grant it. Presets leave such permissions out, and forms say what they don't offer."</p>
        <p>"A grant that goes takes the permission from the keys that have it: when a plan, a group or a workspace grants less, gets another plan, or an API lets a permission need a grant, calls that need it are answered "<code>"FORBIDDEN"</code>" on every server before the change is answered, and so are those of keys that hold it by a bundle. Nothing of the key changes: with the grant it passes again. The answer of a verification and "<code>"X-Key-Permissions"</code>" leave out what is not granted, the page of a key says “Not granted” beside it, and “Would this call pass?” says which plan does not grant it."</p>
        <p>"Over REST plans and groups have "<code>"grants"</code>", and a workspace has its own by "<code>"PUT /api/v1/workspaces/{id}/grants"</code>"; on the command line all three have "<code>"set-grants"</code>". Each is the slug of the API, a slash and the permission. What keys for Tollgate itself may is said by roles. A permission that needs a grant can't be taken from its API: let it need none first."</p>
    }
    .into_any()
}

//! The part of `/docs` about Traefik and Envoy: whole configurations, the files of `examples/orders` as they stand.

use crate::ui::CodeBlock;
use leptos::prelude::*;

const TRAEFIK: &str = include_str!("../../../examples/orders/traefik.yaml");
const ENVOY: &str = include_str!("../../../examples/orders/envoy.yaml");

pub fn others() -> AnyView {
    view! {
        <p>"Traefik and Envoy below are whole files, with your service on port 4000 and Tollgate on 3000. They were tried by hand; no test of ours runs them. In both, no answer of Tollgate means that the call does not pass."</p>
        <CodeBlock id="traefik" title="Traefik 3: traefik.yaml" code=TRAEFIK.trim_end()/>
        <p>"Traefik asks by its middleware "<code>"forwardAuth"</code>", at the address that Caddy uses too, and tells method, host and path as "<code>"X-Forwarded-Method"</code>", "<code>"-Host"</code>" and "<code>"-Uri"</code>". A refusal (401, 403 or 429) reaches the caller as Tollgate wrote it, with "<code>"Retry-After"</code>" and the reason. Where a call passes, what a client sent under the names of "<code>"authResponseHeadersRegex"</code>" is replaced by Tollgate's word; "<code>"RateLimit"</code>" can't be handed to the caller then, only with a refusal. Leave "<code>"trustForwardHeader"</code>" off unless another proxy of yours stands in front, and put Traefik's address into "<code>"TOLLGATE_TRUSTED_PROXIES"</code>" so that the caller's address is believed."</p>
        <CodeBlock id="envoy" title="Envoy: envoy.yaml" code=ENVOY.trim_end()/>
        <p>"Envoy asks by its filter "<code>"ext_authz"</code>" over HTTP: the path of the call is put behind "<code>"path_prefix"</code>", so the address ends with "<code>"/envoy"</code>" and takes no "<code>"?permission="</code>"; say what calls need as "<a href="#routes">"routes"</a>". Only 200 counts as yes, every other answer goes to the caller as it is. Headers but "<code>"Authorization"</code>" go along only if "<code>"allowed_headers"</code>" names them; what a client may not say itself is removed before the filters run."</p>
    }
    .into_any()
}

//! The part of `/docs` about the four proxies: whole configurations, the files of `examples/orders` as they stand. The tests run the
//! first two and play what the other two send by their sources.

use crate::ui::CodeBlock;
use leptos::prelude::*;

const NGINX: &str = include_str!("../../../examples/orders/nginx.conf");
const CADDY: &str = include_str!("../../../examples/orders/Caddyfile");
const TRAEFIK: &str = include_str!("../../../examples/orders/traefik.yaml");
const ENVOY: &str = include_str!("../../../examples/orders/envoy.yaml");

pub fn proxies() -> AnyView {
    view! {
        <h2 id="proxy">"What the proxy asks"</h2>
        <p>"The proxy sends the caller's headers to "<code>"/forward-auth/{api}"</code>". 200 means pass, and says who it is in "<code>"X-Key-Id"</code>", "<code>"X-Key-Owner"</code>", "<code>"X-Key-Plan"</code>" and "<code>"X-Key-Permissions"</code>", and in "<code>"X-External-Id"</code>" where the key has one; where its plan has entitlements that are a name or "<code>"name=value"</code>" they stand in "<code>"X-Key-Entitlements"</code>", with commas between. 401, 403 and 429 are answers for the caller, with a problem document (RFC 9457). Add "<code>"?permission=orders:write"</code>" to ask for a permission, "<code>"cost=2"</code>" to charge more than one unit."</p>
        <h2 id="files">"Four whole files"</h2>
        <p>"Below are four whole files, those of "<code>"examples/orders"</code>" as they stand, with your service on port 4000 and Tollgate on 3000; "<code>"examples/orders/start"</code>" runs the first two. In all of them:"</p>
        <ul>
            <li>"No answer of Tollgate means that the call does not pass."</li>
            <li>"What only Tollgate may say ("<code>"X-Key-*"</code>", "<code>"X-External-Id"</code>", "<code>"X-Over-Limit"</code>", "<code>"X-Hold"</code>") is taken out of what clients send, whether or not Tollgate says it of this call, also where it is spelled "<code>"X_Key_Id"</code>" or "<code>"X.Key.Id"</code>", which services behind WSGI, CGI or PHP read as the same. Nor can a client have it dropped by naming it in "<code>"Connection"</code>"."</li>
            <li>"The secret ends at the proxy: your service gets neither "<code>"Authorization"</code>" nor "<code>"X-API-Key"</code>"."</li>
            <li>"The client is told its limits in "<code>"RateLimit"</code>" and "<code>"RateLimit-Policy"</code>", also when its call passes (not by Traefik, which can't)."</li>
        </ul>
        <p>"Put the address of your proxy into "<code>"TOLLGATE_TRUSTED_PROXIES"</code>", so that it is believed where a call comes from. Every refusal has its code in "<code>"X-Auth-Code"</code>", too ("<code>"MISSING"</code>" where no key was sent), and in a challenge "<code>"error_description"</code>" says why."</p>
        <p>"Our tests run nginx and Caddy with these very files. Traefik and Envoy they do not run: they play the requests that these two send by their sources with these files, byte for byte, against the listener of the product, and compare status and headers. The options were looked up for Traefik 3.7 and Envoy 1.36; try the two files before you rely on them."</p>
        <h2 id="with-nginx">"nginx"</h2>
        <CodeBlock id="nginx" title="nginx: nginx.conf" code=NGINX.trim_end()/>
        <p>"nginx understands only 401 and 403 and drops the body, so it gets the status in "<code>"X-Auth-Status"</code>" and the sentence in "<code>"X-Auth-Detail"</code>", which may stand in JSON as it is; "<code>"@no_key"</code>" and "<code>"@refused"</code>" make answers of them. 404 and 422 there say that the address in "<code>"= /_tollgate"</code>" is wrong. Where Tollgate gives no answer, "<code>"@no_answer"</code>" says 503 with "<code>"Retry-After"</code>"; where your service gives none, 502 or 504. These are problem documents, too, with nginx's own id of the request, which Tollgate's log has as well. Fields with underscores or dots in their names nginx drops by itself: leave "<code>"underscores_in_headers"</code>" and "<code>"ignore_invalid_headers"</code>" as they are."</p>
        <h2 id="with-caddy">"Caddy"</h2>
        <CodeBlock id="caddy" title="Caddy: Caddyfile" code=CADDY.trim_end()/>
        <p>"Caddy asks as its directive "<code>"forward_auth"</code>" would, which is short for "<code>"reverse_proxy"</code>" with "<code>"handle_response"</code>"; the long form also hands fields of Tollgate's answer to the client. A refusal reaches the client as Tollgate wrote it. Fields with underscores or dots in their names are dropped, as nginx drops them."</p>
        <h2 id="with-traefik">"Traefik"</h2>
        <CodeBlock id="traefik" title="Traefik 3: traefik.yaml" code=TRAEFIK.trim_end()/>
        <p>"Traefik asks by its middleware "<code>"forwardAuth"</code>", at the address that Caddy uses too, by GET, and tells method, host and path as "<code>"X-Forwarded-Method"</code>", "<code>"-Host"</code>" and "<code>"-Uri"</code>". Put it before whatever changes the path. Every answer but 2xx reaches the caller as Tollgate wrote it, with "<code>"Retry-After"</code>" and the reason; where none comes, Traefik answers 500 with nothing in it. Where a call passes, what a client sent under the names of "<code>"authResponseHeadersRegex"</code>" is replaced by Tollgate's word; "<code>"RateLimit"</code>" can't be handed to the caller then, only with a refusal."</p>
        <p>"With "<code>"trustForwardHeader: true"</code>" Traefik takes from what it gets which call it is ("<code>"X-Forwarded-Uri"</code>", "<code>"-Method"</code>", "<code>"-Host"</code>"), and a load balancer in front mostly hands these on as clients send them: a caller would pass as making another call. Set it only where "<code>"forwardedHeaders.trustedIPs"</code>" of the entry point names your own proxies and these remove all three. Without it callers behind a balancer have the balancer's address."</p>
        <h2 id="with-envoy">"Envoy"</h2>
        <CodeBlock id="envoy" title="Envoy: envoy.yaml" code=ENVOY.trim_end()/>
        <p>"Envoy asks by its filter "<code>"ext_authz"</code>" over HTTP, with the method of the call: its path and query are put behind "<code>"path_prefix"</code>", so the address ends with "<code>"/envoy"</code>" and takes no "<code>"?permission="</code>"; say what calls need as "<a href="/docs/routes">"routes"</a>". Only 200 counts as yes. 401, 403, 429 and whatever else is below 500 goes to the caller as it is; a 5xx of Tollgate counts as no answer, and the caller gets "<code>"status_on_error"</code>" with nothing in it, so neither the reason nor "<code>"Retry-After"</code>". Headers but "<code>"Authorization"</code>" go along only if "<code>"allowed_headers"</code>" names them; what a client may not say itself is removed before the filters run. "<code>"X-Forwarded-For"</code>" ends with who called Envoy, for callers on its own machine with its own address; before version 1.28 Envoy's address came on top: trust that one there."</p>
    }
    .into_any()
}

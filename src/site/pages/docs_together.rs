//! The part of `/docs` about calls at the same time: places, holds, and who gives them back.

use crate::ui::{CodeBlock, SiteOrigin};
use leptos::prelude::*;

const SET: &str = r#"tollgate key set-limit key_01KAYV7QRE4Z5H8N2M3P6T9WXY --limit 5 --window concurrent:30
tollgate plan set-limit pro --name together --limit 20 --window concurrent:300
curl -X PUT http://127.0.0.1:3000/api/v1/apis/demo/limits \
  -H "Authorization: Bearer $OPERATOR_KEY" -H "Content-Type: application/json" \
  -d '{"limits": [{"name": "together", "limit": 5, "window": "concurrent:30"}]}'"#;

const HOLD: &str = r#"{"valid": true, "code": "VALID", …,
 "limits": [{"name": "together", "limit": 5, "remaining": 2, "reset_after": 30}],
 "hold": {"id": "hold_AZqxY…", "expires_at": "2026-11-21T10:15:30Z"}, …}"#;

const RELEASE: &str = r#"curl -X POST http://127.0.0.1:3000/api/v1/keys/release \
  -H "Authorization: Bearer $SERVICE_KEY" -H "Content-Type: application/json" \
  -d '{"hold": "hold_AZqxY…"}'

{"released": true, "data": [{"hold": "hold_AZqxY…", "released": true, "sent_on": false}]}"#;

const NGINX: &str = r#"location /orders/ {
  auth_request     /_tollgate;
  auth_request_set $hold $upstream_http_x_hold;
  proxy_set_header X-Hold $hold;
  proxy_pass       http://orders;
  post_action      @release;
}
location @release {
  internal;
  auth_request     off;
  proxy_method     POST;
  proxy_set_header Authorization "Bearer tg_live_…";
  proxy_set_header Content-Type application/json;
  proxy_set_body   '{"hold": "$hold"}';
  proxy_pass       http://127.0.0.1:3000/api/v1/keys/release;
}"#;

pub fn together() -> AnyView {
    view! {
        <h2 id="together">"Calls at the same time"</h2>
        <p>"A limit may also say how many calls go on at the same time: of N no call begins while N others go on. Its window is written "<code>"concurrent:"</code>" and for how many seconds one call counts at most, 1 to 3,600; "<code>"concurrent"</code>" alone is 30. N is at most 10,000, and a level has one such limit, beside others. It stands at the same levels as every limit, and the nearest level holds the key: set on a key it counts that key alone, set on a workspace, its plan or its group all keys of the workspace together. The forms of keys, workspaces and APIs offer it under Of what, those of plans and groups as Calls at the same time. What comes on top is refused, or passes and is marked ("<code>"\"over\": {\"action\": \"mark\"}"</code>", on keys, workspaces and APIs also by form): then it takes no place, has no hold, and the answer names the limit in "<code>"over"</code>". It can't be slowed down: a call is answered at once, and waits for no place."</p>
        <CodeBlock id="together-set" title="Set a limit of calls at the same time" code=SiteOrigin::in_example(SET)/>
        <p>"Tollgate is asked when a call begins and does not see its end. So a call that passes takes a place, and the answer names it: its hold."</p>
        <CodeBlock id="together-hold" title="A verification that took a place" code=HOLD/>
        <p>"When it has answered the call, the service gives the place back. That needs no permission beyond the one to verify, "<code>"holds"</code>" takes up to 100 at once, and sending one twice frees one place only. A hold that was given back before, or has ended, is answered "<code>"\"released\": false"</code>", which is no error. Who never gives back has a limit of N calls in each stretch of the limit's seconds: a place ends by itself after them, also when the service or Tollgate is killed."</p>
        <CodeBlock id="together-release" title="Give it back" code=SiteOrigin::in_example(RELEASE)/>
        <ul>
            <li>"All limits are charged together or none: a call that another limit refuses takes no place, and one that finds no place uses up nothing. A call takes one place whatever it costs; a question with "<code>"cost"</code>" 0, and a route without quota, take none."</li>
            <li>"A call without a place is answered "<code>"RATE_LIMITED"</code>", 429, with the limit in "<code>"violated-policies"</code>". "<code>"Retry-After"</code>" and "<code>"t"</code>" say when the first place ends by itself, which is the latest; it is free as soon as somebody gives one back. The fields are "<code>"RateLimit-Policy: \"together\";q=5;qu=\"concurrent-requests\""</code>" without w, as there is no window, and "<code>"RateLimit: \"together\";r=2"</code>", with t only where r is 0."</li>
            <li>"A changed limit holds at once and ends no call. Places of a revoked key end as every other's, and are no harm: it takes no more."</li>
            <li>"Calls of Tollgate's own REST API give their places back by themselves."</li>
            <li>"Mails at 80 and 100 %, the forecast, the meters of Usage and “Who would be limited?” leave these limits out: they count what goes on now, and usage does not keep it. The page of a key says how many go on."</li>
        </ul>
        <h3 id="together-proxies">"Behind a proxy"</h3>
        <p>"At "<code>"/forward-auth"</code>" the hold is the header "<code>"X-Hold"</code>" of the answer that lets a call pass. Proxies ask when a call begins and tell nobody when it has ended, so have "<code>"X-Hold"</code>" passed on to the service, as the "<a href="/docs/proxies#files">"four files"</a>" do (nginx "<code>"auth_request_set"</code>", Caddy "<code>"handle_response"</code>", Traefik "<code>"authResponseHeadersRegex"</code>", Envoy "<code>"allowed_upstream_headers"</code>"), strip it from what clients send, and let the service give it back. Where the service can't, choose few seconds: the place ends by itself."</p>
        <p>"nginx can do it in place of the service with "<code>"post_action"</code>", a directive that works and that its manual does not describe; we show it and do not test it. It is sent when the answer has gone out, or the client has hung up. Caddy, Traefik and the HTTP filter of Envoy have nothing of the kind without a module of one's own."</p>
        <CodeBlock id="together-nginx" title="nginx, without the service" code=NGINX/>
        <h3 id="together-servers">"On several servers"</h3>
        <p>"A server that is alone counts in memory. Beside others it takes only places that the database has lent to it, for ten seconds at a time: never more than N calls go on, whoever is slow, cut off or killed. Too few may begin, by at most what others hold and do not use: that goes back within two seconds, and what a killed server held after the limit's seconds and twelve more. If the database can't be reached when places must be lent, the answer is 503 with "<code>"Retry-After"</code>", not a refusal that would be a guess. A place may be given back to any server; where another one gave it, that one is told ("<code>"\"sent_on\": true"</code>"), and if the word is lost the place ends by itself. A server that stops leaves word of what goes on, so that a restart counts it until it ends; that of a lone server that is killed is at most a second old."</p>
    }
    .into_any()
}

//! The part of `/docs` about rolling windows.

use crate::ui::{CodeBlock, SiteOrigin};
use leptos::prelude::*;

const SET: &str = r#"tollgate key set-limit key_01KAYV7QRE4Z5H8N2M3P6T9WXY --limit 1000 --window rolling:hour
tollgate plan set-limit pro --name burst --limit 60 --window rolling:minute
curl -X PUT http://127.0.0.1:3000/api/v1/apis/demo/limits \
  -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \
  -d '{"limits": [{"name": "shift", "limit": 5000, "window": "rolling:28800"}]}'"#;

pub fn rolling() -> AnyView {
    view! {
        <h2 id="rolling">"Rolling windows"</h2>
        <p>"A fixed window lets a burst at its end and one at the next one's beginning follow each other. A rolling window has no end: of a limit of N never more than N (cost units, or calls where it counts these) pass in any window of its length, whenever that begins. It is written "<code>"rolling:"</code>" and its length in seconds, whole minutes up to 31 days; "<code>"rolling:minute"</code>", "<code>"rolling:hour"</code>", "<code>"rolling:day"</code>" (24 hours) and "<code>"rolling:month"</code>" (30 days) are read too. The forms of keys, workspaces and APIs offer them beside the others, those of plans and groups under Counted."</p>
        <CodeBlock id="rolling-set" title="Set a rolling window" code=SiteOrigin::in_example(SET)/>
        <ul>
            <li>"Algorithm: a sliding window by parts. Time is cut into sixtieths of the window; what counts is what was charged in the present part and in the sixty before it. Any window touches 61 of them at most, so the bound is exact, without an estimate."</li>
            <li>"The price: what was charged comes back after one window at the earliest and after 61/60 of one at the latest: of a minute a second later, of an hour a minute, of 30 days twelve hours."</li>
            <li><code>"Retry-After"</code>" says when the refused call has room, as far as nobody else takes it. "<code>"t"</code>" of the RateLimit fields and "<code>"reset_after"</code>" say when the first of what was used comes back, or the length of the window if nothing was."</li>
            <li>"A restart takes what was used from usage, which is kept by minutes, for windows over an hour by quarters of an hour, over a week by days: each piece counts as late as it may have been. So nothing comes back too early; of what was used before the restart, something may come back that much later."</li>
            <li>"On several servers the parts stand in one row of the database, and servers lease blocks of the present part, as of other limits. N stays N, by the clocks of the servers: where these differ by a second, in any window that is a second shorter. What a server held that was killed is lost for a window's length. A server that is left alone takes over with the next question what was given out of each sixtieth, and counts in memory again, however busy the limit is; what a killed one held counts as used until it is a window old."</li>
            <li>"Mails at 80 and 100 %, or at marks of your own, are sent for windows of an hour or longer. Such a window never begins anew, so a mark is told once for each filling: when it is reached, and then not again until use was seen below half of the mark, or one length of the window has passed. It is looked at each minute."</li>
            <li>"The forecast on Usage, for windows of a day or longer, goes on at the pace of the last quarter of the window while what was used before comes back: when the limit is full, if that is within one window, and how much is used in any window then. What many keys share it knows by hours, from the day on that they share it; what was used before is taken for even. Where a chart's bars are as long as the window, the limit is a line."</li>
            <li>"“Who would be limited?” walks through usage quarter by quarter of an hour, the finest that is kept for so long, and of windows of less than an hour minute by minute, as far back as usage is kept so: what was asked in one counts as if at its beginning, and what would have been held back fills nothing."</li>
            <li>"Limits are tried before they are saved, too: over REST by "<code>"POST /api/v1/plans/{slug}/dry-run"</code>" (also "<code>"groups"</code>", "<code>"workspaces/{id}"</code>", "<code>"apis"</code>") with "<code>"limits"</code>", on the command line by "<code>"tollgate plan try pro --limit 500 --window day --holders"</code>", "<code>"plan try-workspace"</code>", "<code>"group try"</code>" and "<code>"api try"</code>"."</li>
        </ul>
    }
    .into_any()
}

//! The part of `/docs` about speed: where the time of a verification goes.

use crate::ui::CodeBlock;
use leptos::prelude::*;

/// Counted with `BENCH_CASES=instructions make bench` on a release build, 22 November 2026: 40,200 in all. A bare axum server with the same
/// request and answer takes 33,200.
const PARTS: [(&str, &str, &str); 4] = [
    ("Reading the request and writing the answer (hyper, tokio); the bare server: 17,900", "15,100", "37 %"),
    ("Tollgate itself: finding the asking key and the key that is asked about, the decision, limits, counting, the answer", "10,600", "26 %"),
    ("JSON of the question", "2,200", "6 %"),
    ("Memory, text, system calls; the bare server: 13,100", "12,000", "30 %"),
];

const BENCH: &str = r"make bench                                # verify and forward-auth beside a bare server, in one run
BENCH_CASES=issue make bench               # all that a release is judged by, in one run
BENCH_CASES='nginx million' make bench     # behind nginx; a million keys
BENCH_CASES='metering usage instructions' make bench   # what counting costs; the chart of a year; where time goes
BENCH_CASES='sign-in timing' make bench    # at the limit of Argon2; whether time tells who has an account";

pub fn speed() -> AnyView {
    let rows = PARTS.map(|(part, instructions, share)| {
        view! { <tr><th scope="row">{part}</th><td class="num">{instructions}</td><td class="num">{share}</td></tr> }
    });
    view! {
        <h2 id="speed">"Speed"</h2>
        <p>"A verification is answered from memory, by one look into a table, whatever the number of keys. Nothing is asked of the database unless servers share a limit, a call is signed, or an imported secret with a salted hash is used for the first time. Where the processor's time goes, in instructions of one call to "<code>"POST /api/v1/keys/verify"</code>" (two keys, a limit each, metering on; counted with callgrind): 40,200, where the bare handler of the benchmark, which reads the same and says the same, takes 33,200."</p>
        <div class="table-wrap"><table class="table"><caption class="visually-hidden">"Instructions of a verification"</caption>
            <thead><tr><th scope="col">"Part"</th><th scope="col">"Instructions"</th><th scope="col">"Share"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table></div>
        <p>"A secret that was seen lately is hashed no second time: its SHA-256 is remembered under a keyed mark of 128 bits (SipHash-2-4, with a key that only this process has), never the secret itself. Figures of your machine come from the repository:"</p>
        <CodeBlock id="bench" title="Measure it yourself" code=BENCH/>
    }
    .into_any()
}

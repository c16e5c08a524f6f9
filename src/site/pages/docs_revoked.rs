//! The part of `/docs` about what is guaranteed once a key was revoked or changed.

use leptos::prelude::*;

pub fn revoked() -> AnyView {
    view! {
        <h2 id="revoked">"Revoked means revoked"</h2>
        <p>"Disabling, revoking, rotating, dropping a secret, changing permissions, addresses, origins, routes of a key, signed requests, expiry or limits, changing what routes need, and disabling or banning an account answer when every node (every server on the database) has confirmed the change, usually after a few milliseconds: “Refused on 2 of 2 nodes after 8 ms.” Over REST and on the command line it is "<code>"spread"</code>": "<code>"nodes"</code>", "<code>"confirmed"</code>", "<code>"milliseconds"</code>" and "<code>"missing"</code>". What is guaranteed:"</p>
        <ul>
            <li>"When it says n of n, no node accepts the key any more. Only a call that was being decided at that very instant may still get its answer."</li>
            <li>"A node that has not confirmed within two seconds is named. If it was paused or slow, it asks the database before it answers its next call, so it refuses as soon as it runs again. A node that was silent before is named without waiting."</li>
            <li>"A node that is cut off from the database goes on from what it knew, so that an outage of Postgres refuses nothing: for 15 minutes, or "<code>"TOLLGATE_DATABASE_OUTAGE"</code>" (2 seconds to 1 day). Then it answers every question 503 with "<code>"Retry-After"</code>" (for nginx 403 with "<code>"X-Auth-Status: 503"</code>"), until it has read what changed."</li>
            <li>"An old secret that lives until the new one is first used is refused from the call on that passes with the new one, on the node of that call, database or not. The others learn of it with the next usage that this node writes: within some seconds, and after an outage of Postgres when it is back. A node that ends by force before it has told of it learns it from the next use of the new one."</li>
            <li>"A node that crashed is named like one that is cut off, until that time is over or it starts again on the same data folder."</li>
        </ul>
        <p>"The time is measured by a clock that nobody sets and that goes on while a process is paused or a machine sleeps; only a machine that is restored from a snapshot does not notice. A change of very many keys one by one (an import, a bundle that all of them hold) is applied row by row, and calls are answered meanwhile."</p>
        <p>"Limits and grants of a plan, a group, a workspace or an API stand once in memory, whatever the number of keys below: a change of them holds for all keys at once and is answered when every node has confirmed it, too. What was counted goes on. Where it brings a limit that is new for the keys, what they used of its window before is added in the background; of a million keys that takes some seconds."</p>
    }
    .into_any()
}

//! The part of `/docs` about the audit log: what it proves, how it is verified, and what stays of who was erased.

use crate::ui::CodeBlock;
use leptos::prelude::*;

const COMMANDS: &str = "tollgate audit head
tollgate audit verify --anchor 1234:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
tollgate audit verify --anchor /mnt/elsewhere/heads";

pub fn audit() -> AnyView {
    view! {
        <h2 id="audit">"The audit log"</h2>
        <p>"Every change writes an event, in its own transaction, and events are only appended to: the database refuses to change or remove one. Against who can switch that off, each event becomes an entry of a chain: an HMAC over digests of the event and over the entry before, with a key made from the master key, which is not in the database. Who has the database alone can't write an entry, and whatever they change, remove, move or put in is named."</p>
        <CodeBlock id="audit-commands" title="On the command line" code=COMMANDS/>
        <p><code>"tollgate audit verify"</code>" reads all of it, says the first break (edited, removed, reordered, inserted, another key) with its entry and event, and ends with 1 if there is one; with 2 if the anchor can't be read. It is done each night, too; "<a href="/admin">"Admin"</a>" shows when the log was sealed and verified last. With "<code>"--dry-run"</code>" it reads only, and Admin does not hear of it."</p>
        <p>"A chain can't show that its newest entries were cut off. So the head, the number and the HMAC of the last entry, belongs where whoever changes the database can't reach it: each minute in which something happened it goes into Tollgate's log and, with "<code>"TOLLGATE_AUDIT_ANCHOR_FILE"</code>", as a line into a file on the machine that runs the jobs (a share that only takes appends, say). Given as "<code>"--anchor"</code>", a head or such a file, it also shows that the whole chain was replaced by another one. The nightly look reads the file, too, if it can; after an older backup was brought back, begin another one."</p>
        <p>"An event is linked within about two seconds. From its own transaction on it can't be edited unseen; only who removes it with its waiting entry before it is linked leaves no trace. Transactions do not wait for each other for the chain's sake: one process at a time links what they wrote."</p>
        <p>"When an account is erased, so is the person in its events: the name, the account that acted, its workspace, addresses and devices. The database lets that through for nothing else, and the chain gets an entry for each event that says so. What is provable afterwards: that the event happened, when, of which kind, about what, why and with which other facts, all unchanged; that Tollgate took a person out of it, and when; and that nothing of it was changed since. What is not: who it was. The digest of that part was salted, and the salt is gone, so not even the master key helps to guess."</p>
        <p>"What happened before the log was a chain is taken in as it was found, and the chain says where that ends; a server of an older version that still runs then writes events without entries, so stop it first. A process with another master key seals nothing and says so."</p>
        <p>"The HMACs of entries prove nothing any more once their master key is given up: nobody has it, or somebody has it who must not. So "<code>"tollgate master-key drop"</code>" first verifies all of the log with that key and then writes a checkpoint, which is only appended to as the log is: up to which entry, one digest of everything that stands there, when, by whom and for which key, with an HMAC under the key in use. Afterwards "<code>"tollgate audit verify"</code>" makes that digest again and says so: entries up to the checkpoint are as they were on that day, and were verified then; those after it are verified each by its HMAC. What was changed up to a checkpoint since is seen, and named where the entries show it; else only that it was. A checkpoint of a key that was lost ("<code>"--force-unverified"</code>") proves only that nothing was changed since, and verifying says that, too. Whoever had a leaked key and the database before it was dropped could have written another log: that only a head that was kept elsewhere shows."</p>
    }
    .into_any()
}

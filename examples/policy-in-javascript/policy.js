// Tags messages by words in their Subject and chooses accounts by the sender's domain.
// Which words, tags, domains and accounts those are stands in the tenant's settings.

import accounts from "posthouse:policy/accounts@0.1.0";
import counters from "posthouse:policy/counters@0.1.0";
import settings from "posthouse:policy/settings@0.1.0";

const TAG = "X-Tag";

// The settings: `"@acme.example" = "gmail, outlook"` and `"tag.invoice" = "billing"`.
function rules() {
    const rules = { accountsByDomain: new Map(), tagByWord: new Map(), unknown: [] };
    for (const [key, text] of settings.all()) {
        if (key.startsWith("@")) {
            rules.accountsByDomain.set(key.slice(1).toLowerCase(), text.split(",").map((id) => id.trim()));
        } else if (key.startsWith("tag.")) {
            rules.tagByWord.set(key.slice("tag.".length).toLowerCase(), text);
        } else {
            rules.unknown.push(key);
        }
    }
    return rules;
}

function domainOf(address) {
    return address.slice(address.lastIndexOf("@") + 1).toLowerCase();
}

function tagsFor(subject, tagByWord) {
    const words = new Set(subject.toLowerCase().match(/[\p{L}\p{N}]+/gu));
    const tags = [...tagByWord].filter(([word]) => words.has(word)).map(([, tag]) => tag);
    return [...new Set(tags)];
}

// The names of the exported objects are those of the contract's interfaces: wit/policy.wit and wit/on-message.wit.
export const policy = {
    describe() {
        return { name: "tag-and-choose", version: "1.0.0", needsBody: false };
    },

    // A `throw` of a string is the error of the contract; any other one ends the call as a failure.
    checkSettings() {
        const { accountsByDomain, tagByWord, unknown } = rules();
        if (unknown.length > 0) {
            throw `${unknown[0]}: a key is "@" and a domain, or "tag." and a word`;
        }
        const known = accounts.all().map((account) => account.id);
        for (const [domain, ids] of accountsByDomain) {
            const stranger = ids.find((id) => !known.includes(id));
            if (stranger !== undefined) {
                throw `@${domain}: there is no account "${stranger}"; there are: ${known.join(", ")}`;
            }
        }
        for (const [word, tag] of tagByWord) {
            if (!/^[\w-]+$/.test(tag)) {
                throw `tag.${word}: a tag is letters, digits, "_" and "-"`;
            }
        }
    },
};

export const onMessage = {
    decide(envelope, message, decision) {
        const { accountsByDomain, tagByWord } = rules();

        const ids = accountsByDomain.get(domainOf(envelope.sender()));
        if (ids !== undefined) {
            decision.useAccounts(ids);
        }

        decision.removeHeader(TAG, null); // a client's own tags are not believed
        for (const tag of tagsFor(message.header("Subject") ?? "", tagByWord)) {
            decision.addHeader(TAG, tag);
            counters.add("tagged", 1);
        }
        return { tag: "proceed" };
    },
};

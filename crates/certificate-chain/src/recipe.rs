//! How to sign a request with OpenSSL, to the letter (`ca-lifecycle-facts.md` §1.6).
//!
//! It does what both of Microsoft's recipes do. What the request asks for is copied; where it asks for nothing, the
//! values of the official script are taken. A root that is there already is never made anew.

use std::fmt::Write as _;

use crate::algorithm::KeyKind;
use crate::extensions::{
    AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS, CLIENT_AUTH, EXTENDED_KEY_USAGE, KEY_USAGE,
    SUBJECT_KEY_IDENTIFIER,
};
use crate::request::SigningRequest;
use crate::requirements::{KEY_USAGES, basic_constraints, issuing_path_length};

/// Extensions that the recipe writes itself.
const WRITTEN: [&str; 5] =
    [BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, SUBJECT_KEY_IDENTIFIER, AUTHORITY_KEY_IDENTIFIER];

/// The commands for a POSIX shell. The request is expected in `NAME.csr`, where `NAME` is [`file_name`] of `name`.
#[must_use]
pub fn openssl(name: &str, request: &SigningRequest) -> String {
    let file = file_name(name);
    let below = issuing_path_length(request.path_length());
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "# 1. What both certificates are to say.\n\
         umask 077\n\
         cat > {file}.cnf <<'END'\n\
         [req]\n\
         distinguished_name = subject\n\
         [subject]\n\
         [root]\n\
         basicConstraints = {root}\n\
         keyUsage = critical, keyCertSign, cRLSign\n\
         subjectKeyIdentifier = hash\n\
         [issuing]\n\
         {issuing}\
         END\n\
         \n\
         # 2. The root, unless root.key and root.pem are yours already. With root.key,\n\
         #    devices can be made: keep it offline. `openssl ec -aes256 -in root.key`\n\
         #    puts a passphrase on it.\n\
         [ -e root.key ] || openssl ecparam -name secp384r1 -genkey -noout -out root.key\n\
         [ -e root.pem ] || openssl req -x509 -new -key root.key -sha384 -days 3650 -subj '/CN={file} root' \\\n  \
         -config {file}.cnf -extensions root -out root.pem\n\
         \n\
         # 3. The issuing CA: the request, signed. Its subject and its key stay.\n",
        root = basic_constraints(below.saturating_add(1)),
        issuing = issuing(request, below),
    );
    let mut forced = "";
    let forced_key = format!(" -force_pubkey {file}.pub");
    if request.key.kind == KeyKind::ExplicitCurve {
        // The service refuses a curve that is not named.
        let _ = writeln!(
            text,
            "openssl req -in {file}.csr -noout -pubkey | openssl ec -pubin -param_enc named_curve -pubout -out {file}.pub"
        );
        forced = &forced_key;
    }
    let _ = write!(
        text,
        "openssl x509 -req -in {file}.csr{forced} -CA root.pem -CAkey root.key -CAcreateserial -sha384 -days 1825 \\\n  \
         -extfile {file}.cnf -extensions issuing -out {file}.pem\n\
         \n\
         # 4. The chain: the issuing CA first, the root last, no key.\n\
         cat {file}.pem root.pem > {file}-chain.pem\n\
         \n\
         # 5. What the service would refuse, before it does.\n\
         policysync policies lint {shown} --request {file}.csr --chain {file}-chain.pem\n",
        shown = if name.split('/').all(is_plain) { name } else { &file },
    );
    text
}

/// The name of an authority as the name of a file: letters, digits and `-` as they are, anything else as `-`.
#[must_use]
pub fn file_name(name: &str) -> String {
    let name: String =
        name.chars().take(64).map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name = name.trim_start_matches('-');
    if name.is_empty() { "issuing-ca".to_owned() } else { name.to_owned() }
}

/// Whether a shell and a person read a word as it is.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && word == file_name(word)
}

/// The lines of the issuing CA's extensions.
fn issuing(request: &SigningRequest, path_length: u32) -> String {
    let asked = &request.extensions;
    let mut usages: Vec<&str> = KEY_USAGES.to_vec();
    usages.extend(asked.key_usage.iter().flatten().filter(|usage| !KEY_USAGES.contains(usage)));
    let mut extended = vec![CLIENT_AUTH];
    extended.extend(
        asked.extended_key_usage.iter().flatten().map(String::as_str).filter(|usage| *usage != CLIENT_AUTH),
    );
    let mut text = format!(
        "basicConstraints = {}\nkeyUsage = critical, {}\nextendedKeyUsage = {}\nsubjectKeyIdentifier = hash\n\
         authorityKeyIdentifier = keyid:always, issuer:always\n",
        basic_constraints(path_length),
        usages.join(", "),
        extended.join(", ")
    );
    for (oid, raw) in asked.all.iter().filter(|(oid, _)| !WRITTEN.contains(&oid.as_str())) {
        let critical = if raw.is_critical { "critical, " } else { "" };
        let value: Vec<String> = raw.value.iter().map(|byte| format!("{byte:02X}")).collect();
        let _ = writeln!(text, "{oid} = {critical}DER:{}", value.join(":"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn a_name_that_others_chose_is_a_plain_word_in_the_shell() {
        for (name, file) in [
            ("partner-ica", "partner-ica"),
            ("partner-ica/short-lived", "partner-ica-short-lived"),
            ("--out $(rm x)", "out---rm-x-"),
            ("größe", "gr--e"),
            ("../..", "issuing-ca"),
        ] {
            assert_eq!(file_name(name), file);
        }
    }
}

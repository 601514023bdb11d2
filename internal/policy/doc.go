// Package policy reads the privacy policy's source and checks that it makes sense.
//
// The policy is one artefact. The text people read, the question they answer before recording
// begins, the rule the gate obeys, the lifetimes the retention loop enforces and the list of
// promises the tests are bound to all come from the files in policy/, and nothing about data is
// written down a second time anywhere else. This comment is the specification of their language.
//
// # Files
//
//	policy.yaml            version, dates, languages, who decides, the newest assessment, cuts
//	purposes.yaml          why data is processed, on which legal basis; prohibited purposes
//	categories.yaml        what kinds of data there are; kinds that have no place here
//	recipients.yaml        who outside receives anything, which fields, for what
//	retention.yaml         how long each category stays; the spans that the texts name
//	regions.yaml           where data lies; transfers
//	rights.yaml            what a person can ask for, and how
//	promises/<area>.yaml   the promises, by area
//	texts/<lang>/names.yaml          words for purposes, categories, recipients, rights
//	texts/<lang>/policy.md           the published text, a Go text/template over Facts
//	texts/<lang>/consent/<purpose>.yaml   the question asked for a purpose that rests on consent
//	archive/<version>.json           the older versions, each packed into one file
//
// # YAML
//
// A file is one document, a mapping at the top. Allowed are mappings with plain string keys,
// lists, strings, integers and true/false. Refused are unknown or repeated keys, anchors,
// aliases, tags, merge keys, nulls, dates, floating point, more than one document, and the
// unquoted words yes, no, on, off, y and n, which different readers of YAML understand
// differently. A refusal names the file and, where there is one, the line.
//
// # Meaning
//
// A purpose has one legal basis. If it is consent, there must be a consent text in every
// language, and the gate permits nothing for it without a record that names that text's hash.
// A purpose lists the categories it may touch; a permit can open no other. A category must have
// one retention rule, with a number of days, an event that ends it, or both; there is no endless.
// A recipient names a purpose, its fields and whether they concern people. One whose categories
// go beyond "technical" needs a contract and the date of an assessment. A prohibited purpose may
// be used nowhere. A category listed as absent may not exist. Every id has words in every
// language. Whatever is missing or unknown is an error, and an installation with an error in its
// policy does not start.
//
// # Promises
//
// A promise has a permanent number (P001 …), an area, a kind, the published policies it was
// taken from (seeds: S0 a dash-cam app, S1 a white-label camera platform, S2 a camera cloud, S3
// a surveillance cloud, S4 a maker of lights with a teleprompter and a community), a statement,
// our reading of it (one sentence that a test can decide; where the sources differ, the
// strictest), its default, how it is checked, and whether it holds by keeping (there is a
// control) or by absence (the thing is not there). Promises are added, never renumbered or
// reworded: internal/promise keeps the list of numbers and digests.
//
// # Hash
//
// Hash is the SHA-256 of the RFC 8785 canonical JSON of the whole source: an object that maps
// each file's path to its content, YAML as the value it stands for and Markdown as a string.
// Comments and layout of YAML do not change it; any change of meaning or wording does.
//
// # Versions
//
// Diff compares the registers of two versions. A change of what is done with which data, of who
// decides, of who receives what, of rights, of whom to write to, or an assessment that finds a
// high risk is material, whatever anybody calls it; a change of words alone is not. A version with
// a material change takes effect 14 days after its publication at the earliest. One that takes
// something from people (a right, a consent that becomes a must, a longer wait for an answer) names
// each such change under cuts, or it is refused; that sealed data is kept in clear, that a language
// or a promise goes, is refused in any case. Every older version has to lie in archive/, as Pack
// wrote it. Meet is what a build may do for somebody who agreed to an older version than it keeps.
//
// The package knows nothing of HTTP, SQL or codecs.
package policy

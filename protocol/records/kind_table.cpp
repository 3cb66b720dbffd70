#include "protocol/records/kind_table.hpp"

#include <algorithm>
#include <array>

namespace kith {
namespace {

using enum FieldType;

constexpr bool required = true;
constexpr bool optional = false;

// Names, needs and sources: SQUIRE 2.0, TIDieR, A3 and the Model for Improvement (MFI).
constexpr std::array practice_fields = {
    FieldSpec{"title", text, required, "Say in one line what is done and for whom.",
              "SQUIRE 1, TIDieR 1", ""},
    FieldSpec{"summary", markdown, optional, "Sum it up in a few sentences.", "SQUIRE 2", ""},
    FieldSpec{"problem", markdown, required,
              "Say what was wrong, where, and how you knew; groups of people, no persons.",
              "SQUIRE 3, A3", ""},
    FieldSpec{"known", markdown, optional, "Say what was known about it before.", "SQUIRE 4", ""},
    FieldSpec{"why", markdown, optional, "Say why you expected this to help.", "SQUIRE 5, TIDieR 2",
              ""},
    FieldSpec{"aim", markdown, optional, "Say what was to change, by how much and by when.",
              "SQUIRE 6, MFI", ""},
    FieldSpec{"setting", text, optional, "Name the kind of place, for instance an acute ward.",
              "SQUIRE 7, TIDieR 7", ""},
    FieldSpec{"unit_kind", text, optional, "Name the kind of unit or team.", "SQUIRE 7", ""},
    FieldSpec{"beds_or_staff", text, optional, "Give its size in beds or staff.", "SQUIRE 7", ""},
    FieldSpec{"population", text, optional, "Name the group of patients or staff it is for.",
              "SQUIRE 7", ""},
    FieldSpec{"pressures", markdown, optional, "Say what else was going on at the time.",
              "SQUIRE 7", ""},
    FieldSpec{"materials", list, optional, "List what is needed, with links where there are some.",
              "TIDieR 3", ""},
    FieldSpec{"procedures", markdown, required,
              "Say what people do, step by step, so that others could do it.",
              "TIDieR 4, SQUIRE 8a", ""},
    FieldSpec{"team", markdown, optional, "Say which roles took part.", "TIDieR 5, SQUIRE 8b", ""},
    FieldSpec{"how", markdown, optional,
              "Say how it is given: face to face, by telephone, in groups.", "TIDieR 6", ""},
    FieldSpec{"when_how_much", markdown, optional, "Say when, how often and for how long.",
              "TIDieR 8", ""},
    FieldSpec{"core", list, optional, "List the parts that must not change.", "TIDieR 9", ""},
    FieldSpec{"adaptable", list, optional, "List the parts that others may fit to their place.",
              "TIDieR 9", ""},
    FieldSpec{"modifications", markdown, optional, "Say what you changed on the way, when and why.",
              "TIDieR 10, SQUIRE 13a", ""},
    FieldSpec{"fidelity_planned", markdown, optional,
              "Say how you meant to see whether it is done as described.", "TIDieR 11", ""},
    FieldSpec{"fidelity_actual", markdown, optional, "Say how far it is done as described.",
              "TIDieR 12", ""},
    FieldSpec{"drivers", markdown, optional, "Set out the driver diagram as an indented list.",
              "MFI", ""},
    FieldSpec{"measures", list, optional, "List what you measured, or the ids of its records.",
              "SQUIRE 10", ""},
    FieldSpec{"results", markdown, required,
              "Say what happened, with figures where you have them; \"too early\" is an answer.",
              "SQUIRE 13", ""},
    FieldSpec{"unintended", markdown, optional,
              "Say what else it caused, good or bad; \"none seen so far\" is an answer.",
              "SQUIRE 13e", ""},
    FieldSpec{"cost_time", markdown, optional, "Say what it cost in money and in hours.", "", ""},
    FieldSpec{"limits", markdown, optional, "Say where it may not work and what you cannot tell.",
              "SQUIRE 16", ""},
    FieldSpec{"sustain", markdown, optional, "Say what keeps it going.", "SQUIRE 17", ""},
    FieldSpec{"ethics", markdown, optional, "Say which approval it had or why it needed none.",
              "SQUIRE 12", ""},
    FieldSpec{"state", word, optional, "Say how far it has come.", "",
              "idea/testing/working here/spreading/stopped"},
    FieldSpec{"score", text, optional, "Give your own assessment of progress from 0.5 to 5.0.",
              "IHI", ""},
    FieldSpec{"methods", list, optional, "List the methods used, for instance PDSA or A3.", "", ""},
    FieldSpec{"keywords", list, optional, "List words by which others may find it.", "", ""},
    FieldSpec{"contact_role", text, required,
              "Name the role to talk to, for instance the ward manager of A4; no person's name.",
              "", ""},
};

constexpr std::array reply_fields = {
    FieldSpec{"to", reference, required, "Give the id of the record you reply to.", "", ""},
    FieldSpec{"reply_kind", word, required, "Say what your reply is.", "",
              "question/answer/offer/challenge/thanks/note"},
};

constexpr std::array document_fields = {
    FieldSpec{"title", text, optional, "Name the document in one line.", "", ""},
};

constexpr std::array disclosure_consent_fields = {
    FieldSpec{
        "recipient", text, required,
        "Say to whom it may be opened, in the very words that will be used; no person's name.", "",
        ""},
    FieldSpec{"purpose", text, required,
              "Say for what it may be opened, in the very words that will be used.", "", ""},
    FieldSpec{"opens", word, required,
              "Say what may be opened: this member's whole log for ever, or the entries named.", "",
              "log/records"},
    FieldSpec{"records", list, optional, "List the whole ids of the entries, if not the log.", "",
              ""},
};

constexpr std::array all_kinds = {
    KindSpec{"practice", LeafClass::record, true,
             "Something that was tried to make care or work better, and what came of it.",
             practice_fields, false, ""},
    KindSpec{"reply", LeafClass::record, true, "A word to one record and those behind it.",
             reply_fields, false, "Write your reply below the second line of three dashes."},
    KindSpec{"document", LeafClass::record, true, "Any other Markdown text.", document_fields, true,
             "Write the text of the document."},
    KindSpec{"disclosure_consent", LeafClass::record, true,
             "Lets other members open this member's entries to somebody outside.",
             disclosure_consent_fields, false, "", true},
    KindSpec{"founding",
             LeafClass::clear,
             false,
             "How a network began: its charter and founder.",
             {},
             false,
             ""},
    KindSpec{"profile",
             LeafClass::governance,
             false,
             "How a member is called and reached.",
             {},
             false,
             "",
             true},
    KindSpec{"proposal",
             LeafClass::governance,
             false,
             "What a member asks the others to decide.",
             {},
             false,
             "",
             true},
    KindSpec{"consent",
             LeafClass::governance,
             false,
             "A member's word on a proposal.",
             {},
             false,
             "",
             true},
    KindSpec{"seen",
             LeafClass::governance,
             false,
             "A member's daemon saw a proposal pass.",
             {},
             false,
             ""},
    KindSpec{"keygrant",
             LeafClass::clear,
             false,
             "The keys of a space, sealed to its members.",
             {},
             false,
             ""},
};

}  // namespace

std::span<const KindSpec> kinds() { return all_kinds; }

const KindSpec* find_kind(std::string_view name) {
  const auto at = std::ranges::find(all_kinds, name, &KindSpec::name);
  return at == all_kinds.end() ? nullptr : &*at;
}

const FieldSpec* KindSpec::find(std::string_view field) const {
  const auto at = std::ranges::find(fields, field, &FieldSpec::name);
  return at == fields.end() ? nullptr : &*at;
}

}  // namespace kith

#include "app/config_reader.hpp"

#include <algorithm>

#include "app/config_ports.hpp"
#include "app/config_spelling.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

/// Without a known type or address nothing sensible can be asked.
bool decides_whom_we_ask(const Slot& slot) {
    return std::holds_alternative<std::vector<const bms::Family*>*>(slot) ||
           std::holds_alternative<std::vector<engine::Address>*>(slot);
}

Problem::Kind weight_of(const Key& key) {
    return key.safety ? Problem::Kind::safety : Problem::Kind::error;
}

/// How bad it is that what is written for a key does not count.
Problem::Kind weight_of_value(const Key& key) {
    Config any;
    return decides_whom_we_ask(slot_of(key, any)) ? Problem::Kind::fatal : weight_of(key);
}

bool is_quoted(const std::string& value) {
    return value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
}

/// What is hard to see in a line that is not understood.
std::string hint(const IniLine& line) {
    constexpr std::string_view no_break_space = "\xC2\xA0";
    if (line.name.ends_with(no_break_space) || line.value.starts_with(no_break_space))
        return "; there is a no-break space beside the '=', write an ordinary one";
    if (is_quoted(line.value)) return "; write it without quotes";
    return {};
}

/// Of "KEY value" without a separator.
std::string first_word(const std::string& text) {
    return text.substr(0, text.find_first_of(" \t"));
}

/// Whether the key itself ends before the separator, which belongs to its value then: `LOGGING INFO ; not = DEBUG`.
bool lacks_equals(const IniLine& line) {
    if (line.kind == IniLine::Kind::junk) return true;
    const std::string word = first_word(line.name);
    return word != line.name && find_key(word).key;
}

/// The key that is set behind a section's name by mistake; null if it is a comment or anything else.
const Key* key_behind(const IniLine& header) {
    const std::string_view text = header.value;
    const auto separator = text.find_first_of("=:");
    if (separator == std::string_view::npos || text.front() == ';' || text.front() == '#') return nullptr;
    return meant_by(trim(text.substr(0, separator)));
}

constexpr const char* indented_line =
    "the line is indented; the Python driver would take it for the end of the line above";

std::string per_port_keys() {
    std::string names;
    for (const Key& key : port_keys().keys) names += (names.empty() ? "" : ", ") + std::string(key.name);
    return names;
}

}  // namespace

void ConfigReader::read(std::string_view text) {
    const std::vector<IniLine> lines = read_ini(text);
    check_encoding(lines);
    const std::vector<Section> sections = split(lines);
    for (const Section& section : sections)
        if (section.kind == Section::Kind::defaults) apply(section, nullptr);
    // Ports inherit what holds for all, wherever in the file that stands.
    for (const Section& section : sections) {
        if (section.kind == Section::Kind::unknown) refuse(section);
        if (section.kind != Section::Kind::port) continue;
        PortSection& port =
            parsed_.config.sections.emplace_back(PortSection{section.name, section.line, parsed_.config.defaults});
        apply(section, &port.settings);
    }
    check_control(parsed_.config, lines_, parsed_.problems);
    check_ports(parsed_.config, lines_, parsed_.problems);
    std::stable_sort(parsed_.problems.begin(), parsed_.problems.end(),
                     [](const Problem& a, const Problem& b) { return a.line < b.line; });
}

// ---- the structure of the file -------------------------------------------------------------------
/// Said once: a file has one encoding.
void ConfigReader::check_encoding(const std::vector<IniLine>& lines) {
    const auto bad = std::find_if(lines.begin(), lines.end(), [](const IniLine& line) { return line.not_utf8 != 0; });
    if (bad == lines.end()) return;
    parsed_.problems.push_back(
        {.kind = Kind::warning,
         .line = bad->not_utf8,
         .text = "the line is not UTF-8, what cannot be read counts as '?'; save the file as UTF-8"});
}

std::vector<ConfigReader::Section> ConfigReader::split(const std::vector<IniLine>& lines) {
    std::vector<Section> sections;
    std::size_t current = 0;
    for (const IniLine& line : lines) {
        if (line.kind == IniLine::Kind::section) {
            current = static_cast<std::size_t>(&open_section(sections, line) - sections.data());
            continue;
        }
        if (sections.empty()) {
            // Without what stands behind the word, which may be a secret.
            add(Kind::error, default_section, {.number = line.number, .name = first_word(line.name)},
                "the first line must be [DEFAULT]; the lines below are read all the same");
            sections.push_back({Section::Kind::defaults, default_section, line.number, {}});
        }
        Section& section = sections[current];
        if (lacks_equals(line)) {
            miss_equals(section, line);
            continue;
        }
        if (line.indented) add(Kind::warning, section.name, line, indented_line);
        section.entries.push_back(line);
    }
    return sections;
}

ConfigReader::Section& ConfigReader::open_section(std::vector<Section>& sections, const IniLine& line) {
    Section section{Section::Kind::unknown, line.name, line.number, {}};
    if (same_word(line.name, default_section)) {
        section.kind = Section::Kind::defaults;
        section.name = default_section;
        if (line.name != default_section)
            add(Kind::warning, default_section, line, "the Python driver knows [DEFAULT] in capitals only");
    } else if (is_port_name(line.name)) {
        section.kind = Section::Kind::port;
    }
    check_header(section, line);
    const auto same = std::find_if(sections.begin(), sections.end(), [&](const Section& other) {
        return other.kind == section.kind && other.name == section.name;
    });
    if (same == sections.end()) return sections.emplace_back(std::move(section));
    if (section.kind == Section::Kind::port)
        add(Kind::warning, section.name, line,
            "the section is there twice, first in line " + std::to_string(same->line) + "; both parts count");
    return *same;
}

/// It is read as what it can only be meant for.
void ConfigReader::check_header(const Section& section, const IniLine& line) {
    const std::string header = "[" + section.name + "]";
    if (!line.closed) add(Kind::error, section.name, line, "the ']' is missing; the line is read as " + header);
    const Key* lost = key_behind(line);
    if (!line.value.empty())
        add(lost ? weight_of_value(*lost) : Kind::warning, section.name,
            {.number = line.number, .name = line.name},  // it may hold a secret
            "what stands behind " + header + " is ignored; a key and a comment need lines of their own");
    if (line.indented) add(Kind::warning, section.name, line, indented_line);
}

/// A line without '='. Who leaves it out of a limit relies on the limit.
void ConfigReader::miss_equals(const Section& section, const IniLine& line) {
    const std::string word = first_word(line.name);
    const std::string rest(trim(std::string_view(line.name).substr(word.size())));
    const Key* key = meant_by(word);
    if (!key) {
        IniLine shown = line;
        if (is_secret(line.name)) shown.name = word;
        return add(Kind::error, section.name, shown, "this line is neither a comment nor KEY = value");
    }
    IniLine split = line;
    split.name = word;
    split.value = rest;
    const std::string value = is_secret(word) ? "its value" : quoted(rest);
    add(weight_of_value(*key), section.name, split,
        rest.empty() ? "'=' and a value are missing; the line has no effect"
                     : "'=' is missing between " + word + " and " + value + "; the line has no effect");
}

/// What somebody wrote for his battery must not be lost without a sound.
void ConfigReader::refuse(const Section& section) {
    std::string text = "the section [" + section.name + "] is not known";
    if (!section.entries.empty()) text += ", what stands below it has no effect";
    if (word_distance(section.name, default_section) <= likely_misspelt)
        text += "; did you mean [DEFAULT]?";
    else
        text +=
            "; what holds for all batteries goes below [DEFAULT], what holds for one port below its name, for "
            "example [/dev/ttyUSB0]";
    parsed_.problems.push_back({.kind = section.entries.empty() ? Kind::error : Kind::safety,
                                .line = section.line,
                                .key = section.name,
                                .text = std::move(text),
                                .section = section.name});
}

// ---- keys ----------------------------------------------------------------------------------------
/// Which line counts for which key.
ConfigReader::Entries ConfigReader::resolve(const Section& section) {
    Entries entries;
    for (const IniLine& line : section.entries) {
        const Found found = find_key(line.name);
        if (known(section, line, found)) choose(entries, section, line, found);
    }
    return entries;
}

/// Null, with a problem, if the section cannot have this key.
const Key* ConfigReader::known(const Section& section, const IniLine& line, Found found) {
    if (found.key && (section.kind == Section::Kind::defaults || is_per_port(*found.key))) return found.key;
    if (found.key) {
        add(weight_of(*found.key), section.name, line,
            "holds for all batteries, not for one port; move it below [DEFAULT] (a port may have " + per_port_keys() +
                ")");
        return nullptr;
    }
    for (const RetiredKey& retired : retired_keys())
        if (same_word(retired.name, line.name)) {
            add(retired.kind, section.name, line, std::string(retired.why));
            return nullptr;
        }
    // Who mistypes a limit relies on it.
    const Key* meant = meant_by(line.name);
    const std::string_view nearest = meant ? meant->name : nearest_key(line.name);
    add(meant ? weight_of(*meant) : Kind::error, section.name, line,
        "there is no such key; did you mean " + std::string(nearest) + "?" + hint(line));
    parsed_.problems.back().nearest = nearest;
    return nullptr;
}

/// The newer name wins; of two equal names the first.
void ConfigReader::choose(Entries& entries, const Section& section, const IniLine& line, Found found) {
    const auto [at, added] = entries.try_emplace(found.key, Written{&line, found.old_name});
    if (added) return;
    Written& kept = at->second;
    Written ignored{&line, found.old_name};
    if (kept.old_name && !ignored.old_name) std::swap(kept, ignored);
    const std::string number = std::to_string(kept.line->number);
    if (ignored.old_name && !kept.old_name)
        return add(Kind::note, section.name, *ignored.line,
                   "is now called " + std::string(found.key->name) + ", which is set in line " + number +
                       "; this line is ignored");
    if (ignored.old_name != kept.old_name) {
        if (ignored.old_name < kept.old_name) std::swap(kept, ignored);  // their order in the key's list
        return add(Kind::warning, section.name, *ignored.line,
                   "is an older name of " + std::string(kept.old_name->name) + ", which counts, in line " +
                       std::to_string(kept.line->number) + "; this line is ignored");
    }
    const bool harmless = ignored.line->value == kept.line->value;
    add(harmless ? Kind::error : weight_of_value(*found.key), section.name, *ignored.line,
        "the key is there twice, first in line " + number + "; this line is ignored");
}

/// Gives the keys of a section their values, in the order of the tables. `port`: whose section it is; null: for all.
void ConfigReader::apply(const Section& section, PortConfig* port) {
    const Entries entries = resolve(section);
    for (const Group& group : key_groups())
        for (const Key& key : group.keys) {
            const auto written = entries.find(&key);
            if (written == entries.end()) continue;
            lines_.set(section.name, key.name, written->second.line->number, written->second.line->value);
            take(section, key, written->second, port ? std::get<1>(key.place)(*port) : slot_of(key, parsed_.config));
        }
}

void ConfigReader::take(const Section& section, const Key& key, const Written& written, const Slot& slot) {
    const IniLine& line = *written.line;
    std::string value = line.value;
    if (written.old_name) {
        const auto convert = written.old_name->convert;
        if (convert) value = convert(value, parsed_.config);
        add(Kind::note, section.name, line,
            "is now called " + std::string(key.name) +
                (convert ? "; it counts as " + std::string(key.name) + " = " + value : ""));
    }
    const auto remark = read_value(slot, value, key.range);
    if (!remark && is_quoted(line.value) && std::holds_alternative<std::string*>(slot))
        add(Kind::warning, section.name, line, "the quotes are part of the value; a text needs none");
    if (!remark) return note_effect(section, key, line, slot);
    if (remark->kind != Kind::error) return add(remark->kind, section.name, line, remark->text);
    const std::string allowed = allowed_text(slot, key.range, key.unit);
    std::string text = remark->text + (allowed.empty() ? "" : " (allowed: " + allowed + ")");
    text += hint(line);
    if (!decides_whom_we_ask(slot)) {
        const std::string instead = value_text(slot);
        text += instead.empty() ? "; it counts as empty" : "; " + instead + " is used instead";
    }
    add(weight_of_value(key), section.name, line, std::move(text));
}

/// What the user changed in vain.
void ConfigReader::note_effect(const Section& section, const Key& key, const IniLine& line, const Slot& slot) {
    if (key.effect == Effect::now) return;
    Config unchanged;
    if (value_text(slot) == value_text(slot_of(key, unchanged))) return;
    add(Kind::note, section.name, line,
        key.effect == Effect::later ? "has no effect in this version" : "has no effect: " + std::string(key.help));
}

void ConfigReader::add(Kind kind, const std::string& section, const IniLine& line, std::string text) {
    Problem problem{.kind = kind,
                    .line = line.number,
                    .key = line.name,
                    .text = std::move(text),
                    .value = line.value,
                    .section = section};
    if (is_secret(line.name)) problem.value.clear();
    if (const Key* key = find_key(line.name).key) {
        Config any;
        problem.allowed = allowed_text(slot_of(*key, any), key->range, key->unit);
    }
    parsed_.problems.push_back(std::move(problem));
}

}  // namespace bmsd::app

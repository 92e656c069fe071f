"""Shared parts of jobs: what is included where, whose word holds, where a fault is told."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.errors import MappingErrors, Problem
from mappings.fragments import Expanded, Fragment, FragmentFault, expand
from mappings.loading import load_mapping
from mappings.nodes import Spot


def reader(**files: Any) -> Any:
    """Files by name, `__` for a slash; a path starts at the folder of the including file."""

    def read(path: str, within: str) -> Fragment:
        folder = within.rpartition("/")[0]
        name = f"{folder}/{path}" if folder else path
        key = name.replace("/", "__").removesuffix(".yaml")
        if key not in files:
            raise FragmentFault(f"cannot read {name}", "put it there")
        return Fragment(name, files[key])

    return read


def expanded(document: Any, **files: Any) -> Expanded:
    before, originals = copy.deepcopy(document), copy.deepcopy(files)
    found = expand(document, reader(**files))
    assert (document, files) == (before, originals)
    return found


def data(document: Any, **files: Any) -> Any:
    found = expanded(document, **files)
    assert found.problems == ()
    return found.data


def told(document: Any, **files: Any) -> list[tuple[str, tuple[Any, ...], str]]:
    return [
        (spot.file, problem.path, problem.what)
        for spot, problem in expanded(document, **files).problems
    ]


def test_a_job_without_fragments_stays_as_it_is() -> None:
    job = {"source": {"type": "api"}, "mapping": {"entities": [{"dataset": "a"}]}, "sync": None}

    found = expanded(job)

    assert (found.data, found.problems) == (job, ())
    path = ("mapping", "entities", 0, "dataset")
    assert found.spot(path) == Spot("", path)


def test_keys_of_a_fragment_are_added_to_those_of_the_mapping() -> None:
    job = {"mapping": {"include": ["shared.yaml"], "lookups": {"a": {"x": 1}}, "entities": []}}
    shared = {"lookups": {"b": {"y": 2}}, "expect": {"servers": {"min": 1}}}

    assert data(job, shared=shared) == {
        "mapping": {
            "lookups": {"b": {"y": 2}, "a": {"x": 1}},
            "expect": {"servers": {"min": 1}},
            "entities": [],
        }
    }


def test_what_the_job_says_holds_before_its_fragments_and_a_later_one_before_an_earlier() -> None:
    job = {
        "mapping": {
            "include": ["one.yaml", "two.yaml"],
            "lookups": {"a": {"x": 1}},
            "expect": {"servers": {"min": 9}},
        }
    }
    one = {"lookups": {"a": {"x": 0, "y": 0}, "b": {"z": 1}}, "expect": {"servers": {"max": 10}}}
    two = {"lookups": {"b": {"w": 2}}}

    assert data(job, one=one, two=two)["mapping"] == {
        "lookups": {"a": {"x": 1}, "b": {"w": 2}},  # a table is taken whole
        "expect": {"servers": {"max": 10, "min": 9}},
    }


def test_blocks_of_entities_are_joined_those_of_the_fragment_first() -> None:
    job = {"mapping": {"include": "shared.yaml", "entities": [{"dataset": "b"}]}}
    shared = {"entities": [{"dataset": "a"}]}

    found = expanded(job, shared=shared)

    assert found.data["mapping"]["entities"] == [{"dataset": "a"}, {"dataset": "b"}]
    entities = ("mapping", "entities")
    assert found.spot((*entities, 0, "dataset")) == Spot("shared.yaml", ("entities", 0, "dataset"))
    assert found.spot((*entities, 1, "dataset")) == Spot("", (*entities, 0, "dataset"))


def test_infos_may_be_shared_by_components() -> None:
    component = {"include": "infos.yaml", "name": "name", "infos": {"site": "city"}}
    block = {"dataset": "servers", "component": component, "ignore": ["b"]}
    block["include"] = "block.yaml"
    infos = {"infos": {"env": {"copy": "status"}, "site": {"copy": "site", "default": "?"}}}

    found = data(
        {"mapping": {"entities": [block]}},
        infos=infos,
        block={"ignore": ["a"], "component": {"category": {"set": "Server"}}},
    )

    (made,) = found["mapping"]["entities"]
    assert made["ignore"] == ["a", "b"]
    assert made["component"] == {
        "category": {"set": "Server"},
        "infos": {"env": {"copy": "status"}, "site": "city"},  # a value is taken whole
        "name": "name",
    }


def test_a_fragment_may_include_others_from_its_own_folder() -> None:
    job = {"include": "shared/job.yaml", "mapping": {"entities": []}}
    files = {
        "shared__job": {"include": ["sync.yaml"], "mapping": {"include": "map.yaml"}},
        "shared__sync": {"sync": {"missing": "keep"}},
        "shared__map": {"lookups": {"a": {"x": 1}}},
    }

    found = expanded(job, **files)

    assert found.data == {
        "sync": {"missing": "keep"},
        "mapping": {"lookups": {"a": {"x": 1}}, "entities": []},
    }
    assert found.spot(("mapping", "lookups", "a", "x")) == Spot(
        "shared/map.yaml", ("lookups", "a", "x")
    )


def test_words_that_only_look_like_an_include_are_left_to_the_job() -> None:
    infos = {"include": "path.to.field", "variables": {"copy": "b"}}
    job = {"mapping": {"entities": [{"component": {"name": "a", "infos": infos}}]}}

    assert data(job) == job
    tables = {"mapping": {"lookups": {"include": {"a": "b"}}}}
    assert data(tables) == tables


@pytest.mark.parametrize(
    ("job", "files", "path", "what"),
    [
        ({"include": 3}, {}, ("include",), "include takes the path of a file, or a list of them"),
        ({"include": ["a.yaml", 3]}, {"a": {}}, ("include",), "include takes the path of a file"),
        ({"mapping": {"include": "b.yaml"}}, {}, ("mapping", "include"), "cannot read b.yaml"),
        ({"include": ["a.yaml"]}, {"a": [1]}, ("include", 0), "a.yaml holds an array, not keys"),
    ],
    ids=str,
)
def test_what_cannot_be_included_is_told_where_it_is_asked_for(
    job: Any, files: dict[str, Any], path: tuple[Any, ...], what: str
) -> None:
    ((file, found, said),) = told(job, **files)

    assert (file, found) == ("", path)
    assert said.startswith(what)


def test_a_fault_in_a_fragment_is_told_in_the_fragment() -> None:
    found = told({"include": "shared/a.yaml"}, shared__a={"mapping": {"include": "b.yaml"}})

    assert found == [("shared/a.yaml", ("mapping", "include"), "cannot read shared/b.yaml")]


def test_fragments_that_include_each_other_end() -> None:
    files = {"a": {"include": "b.yaml"}, "b": {"include": "a.yaml"}}

    assert told({"include": "a.yaml"}, **files) == [
        ("b.yaml", ("include",), "a.yaml includes itself")
    ]


def test_without_a_reader_nothing_can_be_included() -> None:
    found = expand({"include": "a.yaml"})

    assert [problem.what for _, problem in found.problems] == ["nothing can be included here"]


def test_a_variable_stands_for_its_value_in_every_text() -> None:
    job = {
        "variables": {"customer": "acme", "least": 400, "sites": ["Lyon", "Paris"], "on": True},
        "source": {"connection": "${customer}-cmdb"},
        "mapping": {
            "entities": [{"component": {"name": "${customer}-{{ .name }}-${least}-${on}"}}],
            "expect": {"servers": {"min": "${least}", "allowed": {"site": "${sites}"}}},
        },
    }

    found = data(job)

    assert found["source"] == {"connection": "acme-cmdb"}
    component = found["mapping"]["entities"][0]["component"]
    assert component["name"] == "acme-{{ .name }}-400-true"
    assert found["mapping"]["expect"]["servers"] == {
        "min": 400,
        "allowed": {"site": ["Lyon", "Paris"]},
    }
    assert "variables" not in found


def test_variables_of_the_job_go_before_those_of_its_fragments() -> None:
    job = {
        "include": "customer.yaml",
        "variables": {"site": "Lyon"},
        "mapping": {"variables": {"room": "B2"}, "x": "${site} ${room} ${floor}"},
    }
    customer = {"variables": {"site": "Paris", "room": "A1", "floor": 3}}

    assert data(job, customer=customer)["mapping"] == {"x": "Lyon B2 3"}


def test_a_variable_of_a_fragment_is_put_into_the_fragment() -> None:
    job = {"variables": {"site": "Lyon"}, "mapping": {"include": "a.yaml"}}

    assert data(job, a={"lookups": {"t": {"x": "${site}"}}})["mapping"] == {
        "lookups": {"t": {"x": "Lyon"}}
    }


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("$${site}", "${site}"),
        ("a $${site} b", "a ${site} b"),
        ("$site ${1} ${} $ { site}", "$site ${1} ${} $ { site}"),
        ("${s}${s}", "xx"),
        ("^a{2}$", "^a{2}$"),
    ],
)
def test_what_is_no_variable_is_left_and_two_dollars_are_one(text: str, kept: str) -> None:
    assert data({"variables": {"s": "x"}, "mapping": {"a": text}})["mapping"]["a"] == kept


@pytest.mark.parametrize(
    ("text", "offset", "what", "mend"),
    [
        ("${sit}", (0, 0), "unknown variable 'sit'", "did you mean 'site'?"),
        ("a\nb ${zzzz}", (1, 2), "unknown variable 'zzzz'", "variables: list, site"),
        ("a ${list}", (0, 2), "the variable 'list' is a list", "a list stands alone"),
    ],
)
def test_a_variable_that_is_not_there_is_told_where_it_is_used(
    text: str, offset: tuple[int, int], what: str, mend: str
) -> None:
    job = {"variables": {"site": "Lyon", "list": ["a"]}, "mapping": {"a": text}}

    ((spot, problem),) = expanded(job).problems

    assert (spot, problem.path) == (Spot("", ("mapping", "a")), ("mapping", "a"))
    assert (problem.offset, problem.what) == (offset, what)
    assert problem.mend.startswith(mend)


@pytest.mark.parametrize(
    ("variables", "path", "what"),
    [
        ([1], ("variables",), "variables are a mapping, not an array"),
        ({"a b": 1}, ("variables", "a b"), "'a b' is no name of a variable"),
        (
            {"a": {"b": 1}},
            ("variables", "a"),
            "a variable is a text, a number, a boolean or a list",
        ),
        ({"a": None}, ("variables", "a"), "a variable is a text, a number, a boolean or a list"),
    ],
    ids=str,
)
def test_a_wrong_variable_is_told_where_it_is_declared(
    variables: Any, path: tuple[Any, ...], what: str
) -> None:
    ((file, found, said),) = told({"variables": variables})

    assert (file, found) == ("", path)
    assert said.startswith(what)


def test_a_problem_of_the_mapping_is_located_in_the_file_that_has_it() -> None:
    job = {"mapping": {"include": "a.yaml", "entities": [{"dataset": "b", "component": {}}]}}
    shared = {"entities": [{"dataset": "a", "component": {"name": "{{ upcase .x }}"}}]}
    found = expanded(job, a=shared)

    with pytest.raises(MappingErrors) as caught:
        load_mapping(found.data["mapping"])

    located = [found.located(problem) for problem in caught.value.problems]
    assert [(spot.file, problem.path, problem.offset) for spot, problem in located] == [
        ("a.yaml", ("entities", 0, "component", "name"), (0, 3)),
        ("", ("mapping", "entities", 0, "component"), None),
    ]


def test_a_place_in_a_text_with_variables_is_that_of_the_text() -> None:
    job = {"variables": {"v": "x"}, "mapping": {"a": "${v}{{ upcase }}", "b": "{{ upcase }}"}}
    found = expanded(job)

    offsets = [
        found.located(Problem(("mapping", key), "?", offset=(0, 9)))[1].offset for key in "ab"
    ]
    assert offsets == [None, (0, 9)]


def test_a_mapping_whose_fragments_were_not_followed_says_so() -> None:
    block = {"dataset": "a", "component": {"include": "x.yaml", "name": "n"}}

    with pytest.raises(MappingErrors) as caught:
        load_mapping({"include": ["a.yaml"], "variables": {"a": 1}, "entities": [block]})

    assert [problem.what for problem in caught.value.problems] == [
        "include is known in a job file alone",
        "variables is known in a job file alone",
        "include is known in a job file alone",
    ]


def test_a_misspelt_include_is_told_with_the_right_word() -> None:
    found = data({"mapping": {"includ": "a.yaml", "entities": []}})

    with pytest.raises(MappingErrors) as caught:
        load_mapping(
            {**found["mapping"], "entities": [{"dataset": "a", "component": {"name": "n"}}]}
        )

    (problem,) = caught.value.problems
    assert (problem.what, problem.mend) == ("unknown key 'includ'", "did you mean 'include'?")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("${}ab"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["include", "variables", "mapping", "entities", "component", "a"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(PLAIN, PLAIN)
def test_no_document_however_odd_makes_anything_but_problems(document: Any, file: Any) -> None:
    found = expand(document, lambda path, _: Fragment(path, file))

    assert all(isinstance(problem, Problem) for _, problem in found.problems)
    assert found.spot(("x", 0, "y"))

import { describe, expect, it } from "vitest";
import { plain, readCut, readRequest } from "../src/attention/request";

describe("what a request asks", () => {
  it("is the command, its description and every other parameter", () => {
    const told = { command: "make\nall", description: "Build it", timeout: 60000, run_in_background: true };
    expect(readRequest(told)).toEqual({
      command: "make\nall",
      description: "Build it",
      rest: [
        ["timeout", "60000"],
        ["run_in_background", "true"],
      ],
    });
  });

  it("is a command of words as a shell would have to be given it", () => {
    expect(readRequest({ command: ["bash", "-lc", "echo it's"] }).command).toBe(`bash -lc 'echo it'\\''s'`);
    expect(readRequest({ cmd: "ls" }).command).toBe("ls");
  });

  it("is an edit as lines", () => {
    const told = { file_path: "/a.py", old_string: "a\nb\nc", new_string: "a\nB\nc", replace_all: true };
    expect(readRequest(told)).toEqual({
      file: "/a.py",
      edits: [
        [
          { sign: " ", text: "a" },
          { sign: "-", text: "b" },
          { sign: "+", text: "B" },
          { sign: " ", text: "c" },
        ],
      ],
      rest: [["replace_all", "true"]],
    });
  });

  it("is every edit of several", () => {
    const edits = [
      { old_string: "a", new_string: "b" },
      { old_string: "c", new_string: "" },
    ];
    expect(readRequest({ file_path: "/a", edits }).edits).toEqual([
      [
        { sign: "-", text: "a" },
        { sign: "+", text: "b" },
      ],
      [{ sign: "-", text: "c" }],
    ]);
    expect(readRequest({ file_path: "/a", edits }).rest).toEqual([]);
    const [first] = edits;
    const everywhere = readRequest({ file_path: "/a", edits: [{ ...first, replace_all: true }] });
    expect(everywhere.rest).toEqual([["edits", '[\n  {\n    "replace_all": true\n  }\n]']]);
  });

  it("is the content of a file or of a cell that is written", () => {
    expect(readRequest({ file_path: "/a", content: "x\n" }).edits).toEqual([[{ sign: "+", text: "x" }]]);
    const cell = readRequest({ notebook_path: "/n", cell_id: "c1", new_source: "1+1" });
    expect([cell.file, cell.edits, cell.rest]).toEqual(["/n", [[{ sign: "+", text: "1+1" }]], [["cell_id", "c1"]]]);
  });

  it("is a patch as its own lines say", () => {
    const patch = "*** Begin Patch\n*** Update File: a\n-x\n+y\n*** End Patch";
    const lines = [
      { sign: " ", text: "*** Begin Patch" },
      { sign: " ", text: "*** Update File: a" },
      { sign: "-", text: "x" },
      { sign: "+", text: "y" },
      { sign: " ", text: "*** End Patch" },
    ];
    expect(readRequest({ input: patch })).toEqual({ edits: [lines], rest: [] });
    expect(readRequest({ command: ["apply_patch", patch] })).toEqual({ edits: [lines], rest: [] });
  });

  it("is every question with its options", () => {
    const options = [{ label: "A", description: "the first", preview: "AAA" }, { label: "B" }];
    const questions = [{ question: "Which?", header: "Pick", multiSelect: true, options }];
    expect(readRequest({ questions })).toEqual({
      questions: [
        {
          question: "Which?",
          header: "Pick",
          several: true,
          options: [
            { label: "A", description: "the first", rest: [["preview", "AAA"]] },
            { label: "B", description: "", rest: [] },
          ],
          rest: [],
        },
      ],
      rest: [],
    });
  });

  it("hides nothing that has not the expected shape", () => {
    for (const told of [
      { questions: [{ header: "no question" }] },
      { questions: "what?" },
      { command: 7 },
      { file_path: "/a", edits: [{ old_string: 1, new_string: "x" }] },
      { file_path: "/a", old_string: { a: 1 }, new_string: "x" },
      { plan: ["a"], url: "https://example.org" },
    ])
      for (const [name, value] of Object.entries(told)) {
        const request = readRequest(told);
        const shown = JSON.stringify(request);
        const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
        expect(shown, name).toContain(JSON.stringify(text).slice(1, -1));
      }
  });

  it("is the plan, and else each parameter", () => {
    expect(readRequest({ plan: "# Do", allowedPrompts: [] })).toEqual({ plan: "# Do", rest: [["allowedPrompts", "[]"]] });
    expect(readRequest({ url: "https://a", deep: { a: 1 } }).rest).toEqual([
      ["url", "https://a"],
      ["deep", '{\n  "a": 1\n}'],
    ]);
    expect(readRequest(null)).toEqual({ rest: [] });
    expect(readRequest([1]).rest).toEqual([["", "[\n  1\n]"]]);
  });
});

describe("a request that was cut", () => {
  it("is read as far as it goes, wherever it was cut inside a text", () => {
    const whole = JSON.stringify({ content: 'a"\\\n{[é\u0001', file_path: "/a" });
    const start = whole.indexOf(":") + 2;
    const end = whole.indexOf('","file_path');
    for (let at = start; at <= end; at++) {
      const { content } = readCut(whole.slice(0, at)) as { content: string };
      expect('a"\\\n{[é\u0001'.startsWith(content), whole.slice(0, at)).toBe(true);
    }
  });

  it("makes no sense where a name was cut", () => {
    expect(readCut('{"content":"a","file')).toBeUndefined();
    expect(readCut('{"a":[1,{"b":"c')).toEqual({ a: [1, { b: "c" }] });
  });
});

describe("signs that nobody sees", () => {
  it("are named, and what is written with joiners stays", () => {
    expect(plain("a\u202eb\u200bc\u001b[31m")).toBe("a\\u202eb\\u200bc\\u001b[31m");
    expect(plain("👩‍💻 نمی‌دانم\ttab\nline")).toBe("👩‍💻 نمی‌دانم\ttab\nline");
  });
});

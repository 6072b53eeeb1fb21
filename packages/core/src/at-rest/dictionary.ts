/**
 * Text that entries have in common, known to writer and reader, so that it need not be stored with each entry.
 *
 * **Never edit it**: `deflate-1` data can only be read with this text. Another text would be a new codec, `deflate-2`.
 * References to the last part are the cheapest, so the most frequent text comes last.
 */

/** What tools read and write, as it appears in the JSON of an entry. */
const code = JSON.stringify(
  [
    '#include <stdio.h>\nstatic int const char *printf("%s\n", sizeof(unsigned void *)NULL);\n',
    'package main\n\nimport (\n\t"fmt"\n)\n\nfunc (s *) error {\n\tif err != nil {\n\t\treturn nil, err\n\t}\n',
    'use std::pub fn new() -> Result<Self, Error> {\n    let mut self.\n    match Some(x) => Ok(()),\n    None => impl for &str, ',
    'String, Vec<u8>\n#[derive(Debug, Clone)]\npublic class private static final String void @Override\n    this. = new \n',
    '#!/usr/bin/env bash\nset -euo pipefail\necho "$\n<div className="">\n</div>\n',
    'from typing import Any, Optional\nimport os\n\nclass (object):\n    def __init__(self, name: str) -> None:\n        ',
    '"""Return the """\n        self.name = name\n        if not isinstance(value, dict):\n            raise ValueError(f"',
    '\n    elif  is None:\n        return True\n    except Exception as e:\n        for i in range(len(\n    try:\n',
    '    with open(path) as f:\n assert  == False\n        else:\n',
    "const require('module.exports = \n * @param {string} The \n *\n * @returns {\n */\n",
    "import { describe, expect, it } from 'vitest'\nimport * as path from 'node:\nimport type { \n\n/** This function is used to ",
    'check whether there are any that should be with the other for which we have been \n */\n',
    'export interface Options {\n  readonly name: string\n  value?: number | undefined\n  boolean;\n}\n\nexport default class extends \n',
    '  constructor(private readonly \n  }\n\n',
    'export async function (options: Record<string, unknown> = {}): Promise<void> {\n  try {\n    for (const [key, value] of ',
    "Object.entries(\n      if (typeof value === 'string' && value !== undefined) {\n        continue;\n      } else if (!Array.isArray(\n",
    "      throw new Error(`\n    } catch (error) {\n      console.log(\n    }\n  switch (type) {\n    case '\n      break;\n",
    '  return null;\n}\n\n  // If the length of this is not null, then it is true and false\n  let result = [];\n',
    '  const message = await this.state.map((one) => one.filter(({ id }) => \n    return undefined\n  }\n\n  private get \n\nfunction (\n',
    '}\n\nexport const : readonly string[] = new Map<string, \n\nexport type  = \n    if ( === 0) return ',
  ].join(''),
).slice(1, -1)

const entries = [
  '{"type":"session-opened","owner":{"id":"","host":"","realm":"","pid":1},"cwd":"/home/","writer":"0.1.0","v":3}',
  '{"type":"session-suspended","reason":"interrupted","detail":"","v":3}{"type":"session-resumed","owner":{"id":"","v":3}',
  '{"type":"fault-observed","fault":{"kind":"server-transient","status":529,"errorType":"overloaded_error","message":"Overloaded"',
  ',"requestId":"req_01"},"decision":{"kind":"retry","at":1},"v":3}{"type":"request-held","until":1,"reason":"","v":3}',
  '{"type":"envelope-changed","envelope":{"body":{"model":"claude-","max_tokens":32000,"system":[{"type":"text","text":"",',
  '"cache_control":{"type":"ephemeral"}}],"tools":[{"name":"","description":"","input_schema":{"type":"object","properties":{"',
  '":{"type":"string","description":""}},"required":[""],"additionalProperties":false}}]},"apiVersion":"2023-06-01","betas":[]},"v":3}',
  '{"type":"turn-ended","turn":1,"v":3}{"type":"turn-started","turn":1,"agent":"","messages":[{"role":"user","content":"","v":3}',
  '{"type":"step-started","stepId":"","name":"","inDoubt":"report","v":3}{"type":"step-finished","stepId":"","name":"","outcome":"ran","value":"","v":3}',
  '{"type":"turn-continued","messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_01","content":[{"type":"text","text":""}],"is_error":true}]}],"v":3}',
  '{"type":"request-sent","model":"claude-opus-5-5","attempt":1,"v":3}',
  '{"type":"tool-started","toolUseId":"toolu_01","name":"","inDoubt":"report","v":3}',
  '{"type":"tool-finished","toolUseId":"toolu_01","result":{"type":"tool_result","tool_use_id":"toolu_01","content":""},"outcome":"ran","v":3}',
  '{"type":"response-received","message":{"id":"msg_01","type":"message","role":"assistant","model":"claude-opus-5-5","content":[',
  '{"type":"thinking","thinking":"","signature":""},{"type":"text","text":""},{"type":"tool_use","id":"toolu_01","name":"",',
  '"input":{"file_path":"","old_string":"","new_string":"","command":"","description":"","pattern":"","path":"","text":""}}],"stop_reason":"tool_use",',
  '"stop_sequence":null,"usage":{"input_tokens":1,"cache_creation_input_tokens":1,"cache_read_input_tokens":1,"cache_creation":{"ephemeral_5m_input_tokens":1,',
  '"ephemeral_1h_input_tokens":1},"output_tokens":1,"service_tier":"standard"}},"requestId":"req_01","v":3}',
].join('')

export const dictionary1: Buffer = Buffer.from(code + entries)

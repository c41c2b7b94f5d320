import { main } from '../../src/cli/main.js';

export interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export interface World {
  readonly env?: Readonly<Record<string, string>>;
  /** What the person at the terminal answers; without it there is nobody. */
  readonly answer?: string;
}

/** Runs the command line without a process of its own. */
export async function run(cwd: string, args: string[], world: World = {}): Promise<Outcome> {
  let out = '';
  let err = '';
  const { env = {}, answer } = world;
  const status = await main(args, {
    cwd,
    env,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    colors: false,
    ...(answer !== undefined && {
      ask: async (question: string) => {
        out += question;
        return answer;
      },
    }),
  });
  return { status, out, err };
}

// One question by one SDK: `node node_sdks.mjs NAME` prints what was answered.
const { SUITE_OPENAI, SUITE_ANTHROPIC, SUITE_GEMINI } = process.env;
const headers = JSON.parse(process.env.SUITE_HEADERS);
const keys = JSON.parse(process.env.SUITE_KEYS);
const messages = [{ role: "user", content: "say hi" }];
const [gpt, claude, gemini] = ["gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-flash"];

async function openai() {
  const { default: OpenAI } = await import("openai");
  return new OpenAI({ baseURL: SUITE_OPENAI, apiKey: keys.openai, defaultHeaders: headers });
}

async function generated(model) {
  const { generateText } = await import("ai");
  return (await generateText({ model, prompt: "say hi" })).text;
}

const asks = {
  async openai_chat() {
    const reply = await (await openai()).chat.completions.create({ model: gpt, messages });
    return reply.choices[0].message.content;
  },
  async openai_responses() {
    const reply = await (await openai()).responses.create({ model: "gpt-5.5", input: "say hi" });
    return reply.output_text;
  },
  async openai_retries() {
    const failing = [{ role: "user", content: "say hi [[error:500 1]]" }];
    const client = await openai();
    const reply = await client.chat.completions.create({ model: gpt, messages: failing });
    return reply.choices[0].message.content;
  },
  async anthropic() {
    const { default: Anthropic } = await import("@anthropic-ai/sdk");
    const options = { baseURL: SUITE_ANTHROPIC, apiKey: keys.anthropic };
    const client = new Anthropic({ ...options, defaultHeaders: headers });
    const reply = await client.messages.create({ model: claude, max_tokens: 99, messages });
    return reply.content[0].text;
  },
  async vercel_openai() {
    const { createOpenAI } = await import("@ai-sdk/openai");
    const provider = createOpenAI({ baseURL: SUITE_OPENAI, apiKey: keys.openai, headers });
    return generated(provider("gpt-5.5"));
  },
  async vercel_compatible() {
    const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
    const options = { name: "suite", baseURL: SUITE_OPENAI, apiKey: keys.openai };
    return generated(createOpenAICompatible({ ...options, headers })(gpt));
  },
  async vercel_anthropic() {
    const { createAnthropic } = await import("@ai-sdk/anthropic");
    const options = { baseURL: `${SUITE_ANTHROPIC}/v1`, apiKey: keys.anthropic };
    return generated(createAnthropic({ ...options, headers })(claude));
  },
  async vercel_google() {
    const { createGoogleGenerativeAI } = await import("@ai-sdk/google");
    const options = { baseURL: `${SUITE_GEMINI}/v1beta`, apiKey: keys.gemini };
    return generated(createGoogleGenerativeAI({ ...options, headers })(gemini));
  },
  async google_genai() {
    const { GoogleGenAI } = await import("@google/genai");
    const httpOptions = { baseUrl: SUITE_GEMINI, headers };
    const client = new GoogleGenAI({ apiKey: keys.gemini, httpOptions });
    return (await client.models.generateContent({ model: gemini, contents: "say hi" })).text;
  },
};

console.log(await asks[process.argv[2]]());

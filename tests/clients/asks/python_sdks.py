"""One question by one SDK: `python python_sdks.py NAME` prints what was answered."""

import json
import os
import sys

OPENAI = os.environ["SUITE_OPENAI"]
ANTHROPIC = os.environ["SUITE_ANTHROPIC"]
GROQ = os.environ["SUITE_GROQ"]
GEMINI = os.environ["SUITE_GEMINI"]
HEADERS = json.loads(os.environ["SUITE_HEADERS"])
KEYS = json.loads(os.environ["SUITE_KEYS"])
HI = [{"role": "user", "content": "say hi"}]
GPT, CLAUDE, LLAMA = "gpt-4o-mini", "claude-sonnet-4-5", "llama-3.1-8b-instant"


def _openai():
    from openai import OpenAI

    return OpenAI(base_url=OPENAI, api_key=KEYS["openai"], default_headers=HEADERS)


def _anthropic(**credential):
    from anthropic import Anthropic

    credential = credential or {"api_key": KEYS["anthropic"]}
    return Anthropic(base_url=ANTHROPIC, default_headers=HEADERS, **credential)


def openai_chat():
    reply = _openai().chat.completions.create(model=GPT, messages=HI)
    return reply.choices[0].message.content


def openai_stream():
    chunks = _openai().chat.completions.create(
        model=GPT, messages=HI, stream=True, stream_options={"include_usage": True}
    )
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def openai_responses():
    return _openai().responses.create(model="gpt-5.5", input="say hi").output_text


def openai_retries():
    messages = [{"role": "user", "content": "say hi [[error:500 1]]"}]
    reply = _openai().chat.completions.create(model=GPT, messages=messages)
    return reply.choices[0].message.content


def anthropic_messages():
    reply = _anthropic().messages.create(model=CLAUDE, max_tokens=99, messages=HI)
    return reply.content[0].text


def anthropic_stream():
    with _anthropic().messages.stream(
        model=CLAUDE, max_tokens=99, messages=HI
    ) as stream:
        return stream.get_final_text()


def anthropic_plan():
    client = _anthropic(auth_token=KEYS["plan"])
    reply = client.messages.create(model=CLAUDE, max_tokens=99, messages=HI)
    return reply.content[0].text


def anthropic_count():
    counted = _anthropic().messages.count_tokens(model=CLAUDE, messages=HI)
    return counted.input_tokens


def groq_chat():
    from groq import Groq

    client = Groq(base_url=GROQ, api_key=KEYS["groq"], default_headers=HEADERS)
    reply = client.chat.completions.create(model=LLAMA, messages=HI)
    return reply.choices[0].message.content


def litellm_openai():
    import litellm

    reply = litellm.completion(
        model=f"openai/{GPT}",
        api_base=OPENAI,
        api_key=KEYS["openai"],
        messages=HI,
        extra_headers=HEADERS,
    )
    return reply.choices[0].message.content


def litellm_anthropic():
    import litellm

    reply = litellm.completion(
        model=f"anthropic/{CLAUDE}",
        api_base=ANTHROPIC,
        api_key=KEYS["anthropic"],
        messages=HI,
        extra_headers=HEADERS,
    )
    return reply.choices[0].message.content


def langchain_openai():
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(
        model=GPT, base_url=OPENAI, api_key=KEYS["openai"], default_headers=HEADERS
    )
    return model.invoke("say hi").content


def langchain_anthropic():
    from langchain_anthropic import ChatAnthropic

    model = ChatAnthropic(
        model=CLAUDE,
        base_url=ANTHROPIC,
        api_key=KEYS["anthropic"],
        default_headers=HEADERS,
    )
    return model.invoke("say hi").content


def pydantic_ai():
    from openai import AsyncOpenAI
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    client = AsyncOpenAI(
        base_url=OPENAI, api_key=KEYS["openai"], default_headers=HEADERS
    )
    model = OpenAIChatModel(GPT, provider=OpenAIProvider(openai_client=client))
    return Agent(model).run_sync("say hi").output


def instructor_chat():
    import instructor
    from pydantic import BaseModel

    class Person(BaseModel):
        name: str
        age: int

    client = instructor.from_openai(_openai())
    person = client.chat.completions.create(
        model=GPT, messages=HI, response_model=Person
    )
    return f"{person.name} {person.age}"


def openai_agents():
    import agents
    from openai import AsyncOpenAI

    client = AsyncOpenAI(
        base_url=OPENAI, api_key=KEYS["openai"], default_headers=HEADERS
    )
    agents.set_tracing_disabled(True)
    model = agents.OpenAIResponsesModel(model="gpt-5.5", openai_client=client)
    agent = agents.Agent(name="a", model=model)
    return agents.Runner.run_sync(agent, "say hi").final_output


def google_genai():
    from google import genai

    options = genai.types.HttpOptions(base_url=GEMINI, headers=HEADERS)
    client = genai.Client(api_key=KEYS["gemini"], http_options=options)
    model = "gemini-2.5-flash"
    return client.models.generate_content(model=model, contents="say hi").text


if __name__ == "__main__":
    print(globals()[sys.argv[1]]())

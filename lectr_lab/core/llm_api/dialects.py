"""Which dialect the replies of each operation are in; of those left out none is read."""

from typing import Any

from lectr_lab.core.llm_api.chat import CHAT
from lectr_lab.core.llm_api.dialect import Dialect
from lectr_lab.core.llm_api.media import AUDIO, IMAGES, RERANK
from lectr_lab.core.llm_api.messages import MESSAGES
from lectr_lab.core.llm_api.responses import RESPONSES

DIALECTS: dict[str, Dialect[Any]] = {
    "chat": CHAT,
    "completions": CHAT,
    "embeddings": CHAT,
    "generate_content": CHAT,  # Gemini's own form
    "responses": RESPONSES,
    "compact": RESPONSES,
    "messages": MESSAGES,
    "images": IMAGES,
    "audio": AUDIO,
    "rerank": RERANK,
    "moderations": CHAT,  # Mistral's count tokens
}
